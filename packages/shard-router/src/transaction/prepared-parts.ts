import type { FleetConnection } from '@shardwright/core'
import { type Gid, gidPrefix, parseGid } from './gid.ts'

/** A prepared transaction of ours, as a shard tells of it. */
export interface PreparedPart {
  readonly connection: FleetConnection
  readonly gid: string
  readonly name: Gid
  readonly ageMs: number
}

// The list is of the whole server, which may hold several shards; the age is by the server's own clock.
const listSql = `select gid, greatest(0, extract(epoch from pg_catalog.clock_timestamp() - prepared) * 1000)::float8 as age
 from pg_catalog.pg_prepared_xacts
 where database = pg_catalog.current_database() and pg_catalog.starts_with(gid, $1) order by prepared, gid`

export async function listPrepared(connection: FleetConnection, topologyId: string): Promise<PreparedPart[]> {
  const { rows } = await connection.query<{ gid: string; age: number }>(listSql, [gidPrefix(topologyId)])
  return rows.flatMap(({ gid, age }) => {
    const name = parseGid(gid)
    return name === undefined ? [] : [{ connection, gid, name, ageMs: age }]
  })
}
