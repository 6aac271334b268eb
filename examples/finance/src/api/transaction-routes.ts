import { randomUUID } from 'node:crypto'
import { parse, type Route } from '@shardwright/example-support'
import { sql } from 'kysely'
import { z } from 'zod'
import type { Finance } from '../finance.ts'
import { transactions } from '../schema/repositories.ts'

const newTransaction = z.strictObject({
  amount: z.string().regex(/^-?\d{1,12}(\.\d{1,2})?$/, 'is a decimal number as text'),
  category: z.string().min(1).max(100),
  description: z.string().max(1000).default(''),
  details: z.record(z.string(), z.json()).default({}),
  createdAt: z.iso.datetime().optional(),
})
const search = z.strictObject({
  text: z.string().optional(),
  details: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
})

export const transactionRoutes: readonly Route<Finance>[] = [
  {
    method: 'POST',
    path: /^\/users\/(?<user>[^/]+)\/transactions$/,
    status: 201,
    handle: async ({ router }, { path, body }) => {
      const user_id = parse(z.uuid(), path.user)
      const { createdAt, details, ...rest } = parse(newTransaction, body)
      return await transactions.with(router.for({ user_id })).insert({
        ...rest,
        user_id,
        id: randomUUID(),
        details: JSON.stringify(details),
        created_at: createdAt ? new Date(createdAt) : new Date(),
      })
    },
  },
  {
    method: 'GET',
    path: /^\/users\/(?<user>[^/]+)\/transactions$/,
    handle: async ({ router }, { path, query }) => {
      const user_id = parse(z.uuid(), path.user)
      const { text, details, limit } = parse(search, Object.fromEntries(query))
      let found = router.db.selectFrom('transactions').selectAll().where('user_id', '=', user_id)
      if (text !== undefined) {
        found = found.where(sql<boolean>`to_tsvector('simple', description) @@ websearch_to_tsquery('simple', ${text})`)
      }
      if (details !== undefined) {
        const wanted = JSON.stringify(parse(z.record(z.string(), z.json()), parseJson(details)))
        found = found.where(sql<boolean>`details @> ${wanted}::jsonb`)
      }
      return await found.orderBy('created_at', 'desc').orderBy('id').limit(limit).execute()
    },
  },
]

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Not JSON: the parser of the field says so.
    return undefined
  }
}
