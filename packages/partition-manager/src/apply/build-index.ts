import type { CatalogState, MissingIndex, ParentIndex } from '../inspect/catalog-state.ts'
import { inspectIndexes } from '../inspect/inspect-indexes.ts'
import { type PartitionRow, partitionQuery } from '../inspect/partition-query.ts'
import type { BuildIndex, CreateIndex } from '../plan/action.ts'
import { identifier, qualified } from '../sql/identifier.ts'
import type { MaintenanceSession } from './session.ts'

/** Creates the invalid index on the parent and completes it partition by partition. */
export async function createIndex(
  session: MaintenanceSession,
  state: CatalogState,
  action: CreateIndex,
): Promise<void> {
  session.step('create-index')
  await session.transaction(`create index ${action.index.name}`, () => session.script(action.sql))
  const partitions = (await session.query<PartitionRow>(partitionQuery, [state.parent.oid])).rows
  const indexes = await inspectIndexes(session.connection, state.parent.oid, partitions)
  const index = indexes.find((candidate) => candidate.name === action.index.name)
  for (const missing of index?.missing ?? []) await complete(session, index as ParentIndex, missing)
}

export async function buildIndex(session: MaintenanceSession, action: BuildIndex): Promise<void> {
  await complete(session, action.index, action.missing)
}

async function complete(session: MaintenanceSession, index: BuildIndex['index'], missing: MissingIndex): Promise<void> {
  if (missing.partitioned) return await completePartitioned(session, index, missing)
  const child = qualified(missing.partitionSchema, missing.name)
  await session.withShortLocks(`build index ${missing.name}`, async () => {
    const leftover = await leftoverOf(session, child)
    if (leftover === 'invalid') {
      // A concurrent build that failed leaves an index that is kept up to date and never used.
      session.step('drop-invalid-index', { partition: missing.partition })
      await session.patiently(`drop the invalid index ${missing.name}`, () =>
        session.query(`drop index concurrently ${child}`),
      )
    }
    if (leftover === 'valid') return
    session.step('build-index', { partition: missing.partition })
    const on = qualified(missing.partitionSchema, missing.partition)
    const unique = index.unique ? 'unique ' : ''
    await session.patiently(`build index ${missing.name}`, () =>
      session.query(`create ${unique}index concurrently ${identifier(missing.name)} on ${on} ${index.definition}`),
    )
  })
  await attach(session, index, missing)
}

/** PostgreSQL builds no index concurrently on a partition that has partitions: there it is completed as on the parent. */
async function completePartitioned(
  session: MaintenanceSession,
  index: BuildIndex['index'],
  missing: MissingIndex,
): Promise<void> {
  const on = qualified(missing.partitionSchema, missing.partition)
  const child = qualified(missing.partitionSchema, missing.name)
  const unique = index.unique ? 'unique ' : ''
  session.step('create-index', { partition: missing.partition })
  await session.transaction(`create index ${missing.name}`, async () => {
    if ((await leftoverOf(session, child)) !== 'none') return
    await session.query(`create ${unique}index ${identifier(missing.name)} on only ${on} ${index.definition}`)
  })
  const { rows } = await session.query<{ oid: string }>('select $1::regclass::oid::text as oid', [on])
  const { oid } = rows[0] as { oid: string }
  const partitions = (await session.query<PartitionRow>(partitionQuery, [oid])).rows
  const indexes = await inspectIndexes(session.connection, oid, partitions)
  const own = indexes.find((candidate) => candidate.name === missing.name)
  for (const part of own?.missing ?? []) await complete(session, own as ParentIndex, part)
  await attach(session, index, missing)
}

async function attach(session: MaintenanceSession, index: BuildIndex['index'], missing: MissingIndex): Promise<void> {
  session.step('attach-index', { partition: missing.partition })
  await session.transaction(`attach index ${missing.name}`, () =>
    session.query(
      `alter index ${qualified(index.schema, index.name)} attach partition ${qualified(missing.partitionSchema, missing.name)}`,
    ),
  )
}

async function leftoverOf(session: MaintenanceSession, child: string): Promise<MissingIndex['leftover']> {
  const { rows } = await session.query<{ valid: boolean }>(
    'select indisvalid as valid from pg_index where indexrelid = to_regclass($1)',
    [child],
  )
  if (!rows[0]) return 'none'
  return rows[0].valid ? 'valid' : 'invalid'
}
