import { ShardwrightError } from '@shardwright/core'
import { type CompiledQuery, sql } from 'kysely'
import { type Query, render } from '../code.ts'
import type { Answer } from '../compare/compare.ts'
import type { AnyKysely } from '../world/databases.ts'

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

/** Runs a query; a failure is an answer too. */
export async function answerOf(query: Query, db: AnyKysely, how: 'execute' | 'stream'): Promise<Answer> {
  try {
    const built = build(query, db)
    if (how === 'execute') return { kind: 'rows', rows: await built.execute() }
    const rows: unknown[] = []
    for await (const row of built.stream()) rows.push(row)
    return { kind: 'rows', rows }
  } catch (caught) {
    const error = caught instanceof Error ? caught : new Error(String(caught))
    const { code } = error as { code?: string }
    return { kind: 'error', error, code, refused: error instanceof ShardwrightError }
  }
}
