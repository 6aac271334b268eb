import type { FleetConnection } from '@shardwright/core'

/** How Citus holds a table; its column is undefined for a table that is not hashed. */
export interface Distribution {
  readonly column: string | undefined
}

/** `undefined` when Citus does not manage the table. */
export async function distributionOf(
  connection: Pick<FleetConnection, 'query'>,
  oid: string,
): Promise<Distribution | undefined> {
  const { rows } = await connection.query<{ column: string | null }>(
    `select case when partmethod = 'h' then column_to_column_name(logicalrelid, partkey) end as column
       from pg_catalog.pg_dist_partition where logicalrelid = $1::oid`,
    [oid],
  )
  return rows[0] && { column: rows[0].column ?? undefined }
}

/** Bytes of each partition over all nodes, by oid: on the coordinator a distributed table itself is empty. */
export async function distributedBytes(
  connection: FleetConnection,
  parentOid: string,
): Promise<ReadonlyMap<string, bigint>> {
  const { rows } = await connection.query<{ oid: string; bytes: string }>(
    `select i.inhrelid::text as oid, coalesce(sum(z.size), 0)::int8::text as bytes
       from pg_inherits i
       cross join lateral pg_partition_tree(i.inhrelid) t
       join pg_catalog.pg_dist_shard s on s.logicalrelid = t.relid
       join pg_catalog.citus_shard_sizes() z on z.shard_id = s.shardid
      where i.inhparent = $1::oid
      group by 1`,
    [parentOid],
  )
  return new Map(rows.map((row) => [row.oid, BigInt(row.bytes)]))
}
