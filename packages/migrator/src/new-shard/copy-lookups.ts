import { createLookupSql, type FleetConnection, type Schema } from '@shardwright/core'

/** What keeps the lookups that the model has: their triggers and states are Shardwright's own, which no baseline carries. */
export async function copyLookups(schema: Schema, from: FleetConnection, to: FleetConnection): Promise<void> {
  const { rows } = await from.query<{ there: boolean }>(
    "select pg_catalog.to_regclass('shardwright.lookup') is not null as there",
  )
  if (rows[0]?.there !== true) return
  const kept = await from.query<{ name: string }>('select name from shardwright.lookup')
  const names = new Set(kept.rows.map(({ name }) => name))
  for (const lookup of schema.lookups.filter(({ name }) => names.has(name))) {
    for (const sql of createLookupSql(lookup)) await to.query(sql)
  }
}
