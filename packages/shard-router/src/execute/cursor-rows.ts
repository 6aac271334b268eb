import type { BoundStatement } from '../merge/relation.ts'
import type { RunOptions, StatementResult } from '../pool/shard-pool.ts'
import type { RouterTransaction } from '../transaction/router-transaction.ts'

let cursors = 0

/**
 * Opens a cursor in a transaction, and reads it in chunks of wire text while the transaction does other work: its rows are
 * those of the moment when it was opened.
 */
export async function cursorRows(
  shard: number,
  { sql, parameters }: BoundStatement,
  chunkRows: number,
  transaction: RouterTransaction,
  run: RunOptions,
): Promise<AsyncIterableIterator<StatementResult>> {
  const name = `shardwright_rows_${++cursors}`
  const declare = `declare ${name} no scroll cursor for ${sql}`
  await transaction.execute(shard, { sql: declare, parameters, access: 'read', rows: 'text' }, run)
  return chunksOf(shard, name, chunkRows, transaction, run)
}

async function* chunksOf(
  shard: number,
  name: string,
  chunkRows: number,
  transaction: RouterTransaction,
  run: RunOptions,
): AsyncIterableIterator<StatementResult> {
  const statement = (sql: string) => ({ sql, parameters: [], access: 'read', rows: 'text' }) as const
  for (;;) {
    const chunk = await transaction.execute(shard, statement(`fetch forward ${chunkRows} from ${name}`), run)
    if (chunk.rows.length > 0) yield chunk
    if (chunk.rows.length < chunkRows) break
  }
  await transaction.execute(shard, statement(`close ${name}`), run)
}
