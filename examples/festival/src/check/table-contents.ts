import type { Fleet, FleetConnection } from '@shardwright/core'
import { type TableName, tableNames } from '../schema/database.ts'

/** How many rows a table has, and a sum over a hash of each: equal sums mean equal rows, in any order. */
export interface TableContents {
  readonly rows: bigint
  readonly sum: bigint
}

export type DatabaseContents = ReadonlyMap<TableName, TableContents>

/** Reads every table whole, on each shard. */
export async function readContents(fleet: Fleet): Promise<ReadonlyMap<string, DatabaseContents>> {
  const read = fleet.shards.map(async (shard) => {
    await using connection = await shard.connect()
    return [shard.id, await contentsOf(connection)] as const
  })
  return new Map(await Promise.all(read))
}

async function contentsOf(connection: FleetConnection): Promise<DatabaseContents> {
  await connection.script("set timezone to 'UTC'")
  const contents = new Map<TableName, TableContents>()
  for (const table of tableNames) {
    const { rows } = await connection.query<{ rows: string; sum: string }>(
      `select count(*)::text as rows, coalesce(sum(hashtextextended(t::text, 0)), 0)::text as sum from ${table} t`,
    )
    contents.set(table, { rows: BigInt(rows[0]?.rows ?? 0), sum: BigInt(rows[0]?.sum ?? 0) })
  }
  return contents
}
