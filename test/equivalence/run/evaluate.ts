import { ShardwrightError } from '@shardwright/core'
import { type CompiledQuery, sql } from 'kysely'
import { jsonArrayFrom, jsonObjectFrom } from 'kysely/helpers/postgres'
import { type Query, render } from '../code.ts'
import type { Answer } from '../compare/compare.ts'
import type { Case, Plugin } from '../generate/case.ts'
import type { AnyKysely } from '../world/database.ts'
import type { OpenWorld } from '../world/open-world.ts'
import { withPlugin } from './plugins.ts'
import { SharedNodes } from './shared-nodes.ts'

/** What a generated query is when it has been built. */
interface Built {
  compile(): CompiledQuery
  execute(): Promise<unknown[]>
  stream(): AsyncIterable<unknown>
}

export function build(query: Query, db: AnyKysely): Built {
  // The generator's own code: printed in a report, it is the program that failed.
  const names = ['db', 'sql', 'jsonArrayFrom', 'jsonObjectFrom']
  return new Function(...names, `return ${render(query)}`)(db, sql, jsonArrayFrom, jsonObjectFrom) as Built
}

/** Runs a query on the one database; a failure is an answer too. */
export function expectedAnswer(query: Query, plugin: Plugin, db: AnyKysely): Promise<Answer> {
  return caught(() => build(query, withPlugin(db, plugin)).execute())
}

/** Runs a case through its door of the router. */
export function actualAnswer(own: Case, open: OpenWorld, door = own.door): Promise<Answer> {
  const { router } = open
  const on = (db: unknown): Built => build(own.query, withPlugin(db as AnyKysely, own.plugin))
  return caught(async () => {
    if (own.plugin === 'other values') await plan(own, open, door)
    switch (door) {
      case 'db':
        return await on(router.db).execute()
      case 'fanOut':
        return await on(router.fanOut()).execute()
      case 'for':
        return await on(router.for({ k: own.key } as never)).execute()
      case 'transaction':
        return await router
          .transaction({ crossShard: 'atomic', fanOut: true })
          .execute((transaction) => on(transaction).execute())
      case 'stream': {
        const rows: unknown[] = []
        for await (const row of on(router.fanOut()).stream()) rows.push(row)
        return rows
      }
    }
  })
}

/** Lets the router keep the plan of the statement, made for the values that it has in the case. */
async function plan(own: Case, { router }: OpenWorld, door: Case['door']): Promise<void> {
  const confined = door === 'for'
  const db = confined ? router.for({ k: own.key } as never) : router.fanOut()
  const query = build(own.query, (db as unknown as AnyKysely).withPlugin(new SharedNodes(true)))
  const options = { costs: false, ...(confined ? { for: { k: own.key } as never } : {}) }
  // What is refused is refused again.
  await router.explain(query as never, options).catch(() => undefined)
}

async function caught(run: () => Promise<unknown[]>): Promise<Answer> {
  try {
    return { kind: 'rows', rows: await run() }
  } catch (reason) {
    const error = reason instanceof Error ? reason : new Error(String(reason))
    const { code } = error as { code?: string }
    return { kind: 'error', error, code, refused: error instanceof ShardwrightError }
  }
}
