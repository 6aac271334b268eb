import { parse, type Route } from '@shardwright/example-support'
import { sql } from 'kysely'
import { z } from 'zod'
import type { Finance } from '../finance.ts'

const monthQuery = z.strictObject({ month: z.string().regex(/^\d{4}-\d{2}$/) })

export const spendingRoutes: readonly Route<Finance>[] = [
  {
    method: 'GET',
    path: /^\/users\/(?<user>[^/]+)\/spending$/,
    handle: async ({ router, views }, { path, query }) => {
      const user_id = parse(z.uuid(), path.user)
      const { month } = parse(monthQuery, Object.fromEntries(query))
      const rows = await router.db
        .selectFrom('monthly_spending_summary')
        .select(['category', 'total', 'transactions'])
        .where('user_id', '=', user_id)
        .where('month', '=', month)
        .orderBy('category')
        .execute()
      return { asOf: await views.oldestRefreshedAt('monthly_spending_summary'), rows }
    },
  },
  {
    // Of all users, so of all shards: sums of sums, and the average from sum and count.
    method: 'GET',
    path: /^\/spending$/,
    handle: async ({ router, views }, { query }) => {
      const { month } = parse(monthQuery, Object.fromEntries(query))
      const rows = await router
        .fanOut()
        .selectFrom('monthly_spending_summary')
        .where('month', '=', month)
        .groupBy('category')
        .select(({ fn }) => [
          'category',
          fn.sum<string>('total').as('total'),
          fn.sum<string>('transactions').as('transactions'),
          sql<string>`round(sum(total) / sum(transactions), 2)`.as('average'),
        ])
        .orderBy('category')
        .execute()
      return { asOf: await views.oldestRefreshedAt('monthly_spending_summary'), rows }
    },
  },
  {
    method: 'POST',
    path: /^\/views\/refresh$/,
    handle: async (finance) =>
      (await finance.refresh()).map(({ view, shard, outcome, mode }) => ({ view, shard, outcome, mode })),
  },
]
