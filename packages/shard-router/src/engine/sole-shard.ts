import type { Schema } from '@shardwright/core'

/**
 * The shard on which every table of the schema is placed, if there is one: then there is nothing to route, and any
 * statement, also raw or of the schema, means what it means on one PostgreSQL.
 */
export function soleShardOf(schema: Schema): string | undefined {
  const shards = new Set(schema.tables.map((table) => (table.kind === 'single' ? table.shard : undefined)))
  return shards.size === 1 ? [...shards][0] : undefined
}
