import type { FleetConnection, ShardedTable } from '@shardwright/core'
import { CliError } from '../errors/cli-error.ts'

/** Where Citus keeps a key of a table. */
export interface KeyPlace {
  readonly type: string
  readonly shardId: string
  /** The shard's table on its node. */
  readonly shardName: string
  readonly minHash: number
  readonly maxHash: number
  readonly host: string
  readonly port: number
  readonly groupId: number
}

export function quoteTable({ schema, table }: { readonly schema: string; readonly table: string }): string {
  return [schema, table].map((part) => `"${part.replaceAll('"', '""')}"`).join('.')
}

/** The distribution column's type as SQL. @throws CliError UNKNOWN_TABLE when Citus does not distribute the table by it */
export async function keyTypeOf(connection: FleetConnection, table: ShardedTable): Promise<string> {
  const { rows } = await connection.query<{ type: string }>(
    `select format_type(a.atttypid, a.atttypmod) as type from pg_dist_partition p join pg_attribute a on a.attrelid = p.logicalrelid
     where p.logicalrelid = to_regclass($1) and p.partmethod = 'h' and a.attname = $2
       and a.attname = column_to_column_name(p.logicalrelid, p.partkey)`,
    [quoteTable(table), table.key],
  )
  if (rows[0]) return rows[0].type
  throw new CliError({
    code: 'UNKNOWN_TABLE',
    message: `Citus does not distribute ${table.name} by ${table.key}.`,
    hint: '`shardwright citus check` compares the cluster with the schema.',
    details: { table: table.name },
  })
}

/** Asks the coordinator; the key is a text of the column's type. */
export async function locateKey(connection: FleetConnection, table: ShardedTable, key: string): Promise<KeyPlace> {
  const type = await keyTypeOf(connection, table)
  const { rows } = await connection.query<Omit<KeyPlace, 'type'>>(
    `select s.shardid::text as "shardId", shard_name(s.logicalrelid, s.shardid) as "shardName", s.shardminvalue::int as "minHash",
       s.shardmaxvalue::int as "maxHash", n.nodename as host, n.nodeport as port, n.groupid as "groupId"
     from pg_dist_shard s join pg_dist_placement p on p.shardid = s.shardid
     join pg_dist_node n on n.groupid = p.groupid and n.noderole = 'primary'
     where s.shardid = get_shard_id_for_distribution_column($1::regclass, $2::text::${type})
     order by p.placementid limit 1`,
    [quoteTable(table), key],
  )
  return { type, ...rows[0]! }
}
