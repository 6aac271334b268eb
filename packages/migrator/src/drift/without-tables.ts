import type { Schema } from '@shardwright/core'
import type { SchemaSnapshot } from './schema-snapshot.ts'

/** `schema.table` of each single table that not all of the compared shards are meant to have. */
export function singlesElsewhere(schema: Schema | undefined, shards: readonly string[]): ReadonlySet<string> {
  return new Set(
    (schema?.tables ?? []).flatMap((placement) =>
      placement.kind === 'single' && shards.some((shard) => shard !== placement.shard)
        ? [`${placement.schema}.${placement.table}`]
        : [],
    ),
  )
}

/** The snapshot without these tables and what stands on them. */
export function withoutTables(snapshot: SchemaSnapshot, tables: ReadonlySet<string>): SchemaSnapshot {
  if (tables.size === 0) return snapshot
  const objects = snapshot.objects.filter((object) => object.table === null || !tables.has(object.table))
  return { version: snapshot.version, objects }
}
