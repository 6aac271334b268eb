import { createLookupSql, type Fleet, type FleetConnection, type Lookup, type Schema } from '@shardwright/core'

/**
 * Makes the lookups of a schema on every shard where they are missing; the looked up tables have to be there. For those
 * who run no migrations: the migrator's `createLookupTable` does the same. A table that has rows is to be backfilled.
 * @example
 * await installLookups({ fleet: router.fleet, schema })
 */
export async function installLookups({
  fleet,
  schema,
}: {
  readonly fleet: Fleet
  readonly schema: Schema
}): Promise<void> {
  for (const shard of fleet.shards) {
    await using connection = await shard.connect({ applicationName: 'shardwright lookups' })
    for (const lookup of schema.lookups) if (!(await isThere(connection, lookup))) await install(connection, lookup)
  }
}

async function isThere(connection: FleetConnection, { name }: Lookup): Promise<boolean> {
  const { rows } = await connection.query<{ there: boolean }>(
    "select pg_catalog.to_regclass('shardwright.lookup') is not null as there",
  )
  if (rows[0]?.there !== true) return false
  return (await connection.query('select from shardwright.lookup where name = $1', [name])).rowCount === 1
}

async function install(connection: FleetConnection, lookup: Lookup): Promise<void> {
  await connection.query('begin')
  try {
    for (const sql of createLookupSql(lookup)) await connection.query(sql)
    await connection.query('commit')
  } catch (error) {
    await connection.query('rollback')
    throw error
  }
}
