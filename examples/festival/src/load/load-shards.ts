import type { ShardRouter } from '@shardwright/shard-router'
import type { Kysely } from 'kysely'
import type { DataSet } from '../data/data-set.ts'
import type { TableName } from '../schema/database.ts'
import { tableNames } from '../schema/database.ts'
import type { FestivalSchema } from '../schema/schema.ts'

type Row = Record<string, unknown>

const rowsPerInsert = 1_000
const insertsAtOnce = 8

/** Inserts all rows through the router, several INSERTs at a time. */
export async function loadShards(
  router: ShardRouter<FestivalSchema>,
  data: DataSet,
  onRows: (rows: number) => void,
): Promise<void> {
  // The table's name is a variable here, which Kysely's types cannot follow; what a service writes is typed.
  const db = router.db as unknown as Kysely<Record<string, Row>>
  const batches = tableNames.flatMap((table) => batchesOf(table, data.rows[table] as readonly Row[]))
  const worker = async () => {
    for (let batch = batches.shift(); batch; batch = batches.shift()) {
      await db.insertInto(batch.table).values(batch.rows).execute()
      onRows(batch.rows.length)
    }
  }
  await Promise.all(Array.from({ length: insertsAtOnce }, worker))
}

interface Batch {
  readonly table: TableName
  readonly rows: readonly Row[]
}

/** The rows of one festival go to one shard in one INSERT; rows of many users are split by the router. */
function batchesOf(table: TableName, rows: readonly Row[]): Batch[] {
  const perFestival = rows[0] && 'festival_id' in rows[0] && table !== 'tickets'
  const groups = perFestival ? [...Map.groupBy(rows, (row) => row.festival_id).values()] : [rows]
  return groups.flatMap((group) => chunksOf(group).map((chunk) => ({ table, rows: chunk })))
}

function chunksOf(rows: readonly Row[]): (readonly Row[])[] {
  const chunks: (readonly Row[])[] = []
  for (let from = 0; from < rows.length; from += rowsPerInsert) chunks.push(rows.slice(from, from + rowsPerInsert))
  return chunks
}
