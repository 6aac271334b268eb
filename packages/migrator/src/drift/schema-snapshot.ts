import { readFile, writeFile } from 'node:fs/promises'
import type { FleetConnection } from '@shardwright/core'
import { z } from 'zod'
import { DriftError } from '../errors/drift-error.ts'
import { selectAggregates } from './catalog/aggregates.sql.ts'
import { selectCollations } from './catalog/collations.sql.ts'
import { selectColumns } from './catalog/columns.sql.ts'
import { selectConstraints } from './catalog/constraints.sql.ts'
import { selectEventTriggers } from './catalog/event-triggers.sql.ts'
import { selectGrants } from './catalog/grants.sql.ts'
import { selectIndexes } from './catalog/indexes.sql.ts'
import { selectOwners } from './catalog/owners.sql.ts'
import { selectFunctions, selectPolicies, selectTriggers, selectViews } from './catalog/routines.sql.ts'
import { selectRules } from './catalog/rules.sql.ts'
import { selectSettings } from './catalog/settings.sql.ts'
import { selectStatistics } from './catalog/statistics.sql.ts'
import { selectTables } from './catalog/tables.sql.ts'
import { selectExtensions, selectSchemas, selectSequences, selectTypes } from './catalog/types.sql.ts'
import { type CatalogObject, objectKinds } from './catalog-object.ts'

/** A shard's schema at one instant, without partitions, extensions' contents and what Shardwright keeps itself. */
export interface SchemaSnapshot {
  readonly version: 2
  readonly objects: readonly CatalogObject[]
}

// In the order in which a new database needs them.
const queries = [
  selectSettings,
  selectSchemas,
  selectExtensions,
  selectCollations,
  selectTypes,
  selectSequences,
  selectTables,
  selectColumns,
  selectFunctions,
  selectAggregates,
  selectConstraints,
  selectIndexes,
  selectStatistics,
  selectViews,
  selectRules,
  selectTriggers,
  selectPolicies,
  selectOwners,
  selectGrants,
  // Last: it must not fire while the others are made.
  selectEventTriggers,
]

/**
 * Reads a shard's schema in one snapshot.
 *
 * @example
 * await using connection = await fleet.shards[0].connect()
 * const snapshot = await readSchemaSnapshot(connection)
 */
export async function readSchemaSnapshot(connection: FleetConnection): Promise<SchemaSnapshot> {
  await connection.query('begin isolation level repeatable read read only')
  try {
    // Names are then always qualified in definitions, whatever the path of the user is.
    const { rows: path } = await connection.query<{ path: string }>(`select current_setting('search_path') as path`)
    const objects: CatalogObject[] = []
    for (const query of queries) {
      const settings = query === selectSettings
      await connection.query(`select set_config('search_path', $1, true)`, [
        settings ? (path[0]?.path ?? '') : 'pg_catalog',
      ])
      objects.push(...(await connection.query<CatalogObject>(query)).rows)
    }
    return Object.freeze({ version: 2, objects: Object.freeze(objects) })
  } finally {
    await connection.query('rollback')
  }
}

const text = z.string()
const fileShape = z.object({
  version: z.literal(2),
  objects: z.array(
    z.object({
      kind: z.enum(objectKinds),
      name: text,
      table: text.nullable(),
      definition: text,
      create: text,
      drop: text,
      parts: z.record(text, text.nullable()).nullable(),
    }),
  ),
})

/** Writes a snapshot to be committed: sorted, so that a change shows as a small diff. */
export async function writeSnapshotFile(file: string, snapshot: SchemaSnapshot): Promise<void> {
  const key = (object: CatalogObject) => `${object.kind} ${object.name}`
  const objects = snapshot.objects.toSorted((a, b) => (key(a) < key(b) ? -1 : 1))
  await writeFile(file, `${JSON.stringify({ version: 2, objects }, null, 2)}\n`)
}

/** @throws DriftError SNAPSHOT_INVALID */
export async function readSnapshotFile(file: string): Promise<SchemaSnapshot> {
  try {
    return fileShape.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch (cause) {
    throw new DriftError({
      code: 'SNAPSHOT_INVALID',
      message: `The schema snapshot ${file} cannot be read.`,
      hint: 'Write it again with `shardwright drift --write <file>`.',
      details: { file },
      cause,
    })
  }
}
