import { ShardwrightError } from '@shardwright/core'
import { type CompiledQuery, sql } from 'kysely'
import { type Query, render } from '../code.ts'
import type { Answer } from '../compare/compare.ts'
import type { Case } from '../generate/case.ts'
import type { AnyKysely, OpenWorld } from '../world/databases.ts'

/** What a generated query is when it has been built. */
interface Built {
  compile(): CompiledQuery
  execute(): Promise<unknown[]>
  stream(): AsyncIterable<unknown>
}

export function build(query: Query, db: AnyKysely): Built {
  // The generator's own code: printed in a report, it is the program that failed.
  return new Function('db', 'sql', `return ${render(query)}`)(db, sql) as Built
}

/** Runs a query on the one database; a failure is an answer too. */
export function expectedAnswer(query: Query, db: AnyKysely): Promise<Answer> {
  return caught(() => build(query, db).execute())
}

/** Runs a case through its door of the router. */
export function actualAnswer(own: Case, open: OpenWorld, door = own.door): Promise<Answer> {
  const { router } = open
  return caught(async () => {
    switch (door) {
      case 'db':
        return await build(own.query, router.db as unknown as AnyKysely).execute()
      case 'fanOut':
        return await build(own.query, router.fanOut() as unknown as AnyKysely).execute()
      case 'for':
        return await build(own.query, router.for({ k: own.key } as never) as unknown as AnyKysely).execute()
      case 'transaction':
        return await router
          .transaction({ crossShard: 'atomic', fanOut: true })
          .execute((transaction) => build(own.query, transaction as unknown as AnyKysely).execute())
      case 'stream': {
        const rows: unknown[] = []
        for await (const row of build(own.query, router.fanOut() as unknown as AnyKysely).stream()) rows.push(row)
        return rows
      }
    }
  })
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
