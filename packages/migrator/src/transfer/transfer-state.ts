import { createOwnSchema, type FleetConnection } from '@shardwright/core'

/** What of a source shard's table a target shard has already. */
export interface CopiedUnit {
  readonly table: string
  readonly shard: string
  readonly rows: bigint
}

/**
 * The state lives beside the data: its row commits with the rows it speaks of, so a cut run is taken up where it stopped.
 * Loads the table where it is missing.
 */
export async function prepareState(connection: FleetConnection): Promise<void> {
  await connection.query(createOwnSchema)
  await connection.query(`create table if not exists shardwright.transfer (
    source text not null,
    table_name text not null,
    source_shard text not null,
    rows bigint not null,
    finished_at timestamptz not null default clock_timestamp(),
    primary key (source, table_name, source_shard))`)
}

export async function readState(connection: FleetConnection, source: string): Promise<readonly CopiedUnit[]> {
  const { rows } = await connection.query<{ table: string; shard: string; rows: string }>(
    `select table_name as "table", source_shard as shard, rows::text as rows from shardwright.transfer where source = $1`,
    [source],
  )
  return rows.map((row) => ({ ...row, rows: BigInt(row.rows) }))
}

export async function writeState(connection: FleetConnection, source: string, unit: CopiedUnit): Promise<void> {
  await connection.query(
    'insert into shardwright.transfer (source, table_name, source_shard, rows) values ($1, $2, $3, $4::bigint)',
    [source, unit.table, unit.shard, String(unit.rows)],
  )
}

export async function forgetState(connection: FleetConnection, source: string): Promise<void> {
  await connection.query('delete from shardwright.transfer where source = $1', [source])
}
