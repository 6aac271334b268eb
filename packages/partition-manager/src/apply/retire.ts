import { archivePartition } from '../archive/archive-partition.ts'
import { PartitionError } from '../errors/partition-error.ts'
import type { CatalogState, JobDetail } from '../inspect/catalog-state.ts'
import type { RetirePartition } from '../plan/action.ts'
import { forValues } from '../plan/range-text.ts'
import type { PartitionPolicy } from '../policy/policy.ts'
import { identifier, qualified } from '../sql/identifier.ts'
import { parentName } from '../sql/partition-sql.ts'
import { detachPartition } from './detach.ts'
import { deleteJob, ensureJournal, updateJob, writeJob } from './journal.ts'
import { checksumRows, type RowChecksum, sameRows } from './row-checksum.ts'
import type { MaintenanceSession } from './session.ts'

/**
 * Archive, detach, dispose: each phase is in the journal before it begins, so that a killed run is taken up where it
 * stopped, and nothing is dropped that the archive does not hold.
 */
export async function retirePartition(
  session: MaintenanceSession,
  state: CatalogState,
  policy: PartitionPolicy,
  action: RetirePartition,
): Promise<void> {
  if (!action.resume) await refuseDependents(session, action)
  const schema = archiveSchema(policy)
  if (schema !== undefined && action.resume?.attached !== false) await prepareArchive(session, action, schema)
  await ensureJournal(session)
  const job = await openJob(session, state, action)
  let detail = job.detail
  if (copies(policy, action) && detail.phase !== 'dispose' && detail.rows === undefined) {
    const archived = await archivePartition(session, state, policy, action)
    detail = { ...detail, phase: 'detach', rows: String(archived.rows), checksum: archived.checksum }
    session.step('note-archived', { partition: action.partition.name })
    await updateJob(session, job.id, detail)
  }
  await detachPartition(session, state, action.partition, action.concurrently)
  session.step('note-detached', { partition: action.partition.name })
  await updateJob(session, job.id, { ...detail, phase: 'dispose' })
  await dispose(session, state, policy, action, job.id, detail)
}

/** DROP would be refused only after the detach: whatever depends on the partition itself is found before anything is done. */
async function refuseDependents(session: MaintenanceSession, action: RetirePartition): Promise<void> {
  if (action.ending === 'detach') return
  const { rows } = await session.query<{ name: string }>(dependentQuery, [action.partition.oid])
  if (rows.length === 0) return
  const names = rows.map((row) => row.name).join(', ')
  throw new PartitionError({
    code: 'PARTITION_REFERENCED',
    message: `${action.partition.name} stays attached: ${names} would have to go with it (2BP01).`,
    details: { shard: session.shard.id, partition: action.partition.name },
  })
}

/** What the move to the archive's schema needs is there before the detach: a failure then leaves the partition in place. */
async function prepareArchive(
  session: MaintenanceSession,
  { partition }: RetirePartition,
  schema: string,
): Promise<void> {
  const { rows } = await session.query<{ schema: boolean; taken: boolean }>(
    `select exists (select from pg_namespace where nspname = $1) as schema,
            exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
                     where n.nspname = $1 and c.relname = $2) as taken`,
    [schema, partition.name],
  )
  // IF NOT EXISTS alone asks for the right to create schemas even where there is nothing to create.
  if (!rows[0]?.schema) {
    await session.transaction(`create schema ${schema}`, () =>
      session.query(`create schema if not exists ${identifier(schema)}`),
    )
  }
  if (!rows[0]?.taken) return
  throw new PartitionError({
    code: 'PARTITION_NAME_TAKEN',
    message: `${schema}.${partition.name} exists; ${partition.name} stays attached.`,
    details: { shard: session.shard.id, partition: partition.name },
  })
}

/** What stands on the partition, its own partitions or their row types; what stands on the parent is not meant. */
const dependentQuery = `
with tree as (select $1::oid as oid union select relid from pg_partition_tree($1::oid)),
types as (select unnest(array[t.oid, t.typarray]) as oid from pg_class c join pg_type t on t.oid = c.reltype where c.oid in (select oid from tree))
select distinct pg_describe_object(d.classid, d.objid, d.objsubid) as name
  from pg_depend d
  left join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid
  left join pg_policy p on d.classid = 'pg_policy'::regclass and p.oid = d.objid
  left join pg_constraint k on d.classid = 'pg_constraint'::regclass and k.oid = d.objid
 where d.deptype = 'n'
   and (d.refclassid = 'pg_class'::regclass and d.refobjid in (select oid from tree)
        and (r.ev_class not in (select oid from tree) or p.polrelid not in (select oid from tree) or d.classid = 'pg_proc'::regclass
             or (k.contype = 'f' and k.confrelid in (select oid from tree) and k.conparentid = 0
                 and k.conrelid not in (select oid from tree)))
     or d.refclassid = 'pg_type'::regclass and d.refobjid in (select oid from types)
        and (d.classid = 'pg_proc'::regclass or (d.classid = 'pg_class'::regclass and d.objid not in (select oid from tree))))
 order by 1`

async function openJob(
  session: MaintenanceSession,
  state: CatalogState,
  action: RetirePartition,
): Promise<{ readonly id: string; readonly detail: JobDetail }> {
  if (action.resume) return { id: action.resume.jobId, detail: action.resume.detail }
  const detail: JobDetail = {
    lower: action.range.lower === undefined ? null : String(action.range.lower),
    upper: String(action.range.upper),
    ...(action.bound && { bound: action.bound }),
    phase: 'archive',
  }
  session.step('note-retirement', { partition: action.partition.name })
  const id = await writeJob(session, {
    parentOid: state.parent.oid,
    kind: 'retire',
    childOid: action.partition.oid,
    detail,
  })
  return { id, detail }
}

/** Moving the table to another schema copies nothing, so there is nothing to verify either. */
function copies(policy: PartitionPolicy, action: RetirePartition): boolean {
  return action.ending === 'archive' && archiveSchema(policy) === undefined
}

function archiveSchema(policy: PartitionPolicy): string | undefined {
  const then = policy.retention?.then
  if (typeof then !== 'object' || typeof then.archive === 'function') return undefined
  return 'schema' in then.archive ? then.archive.schema : undefined
}

async function dispose(
  session: MaintenanceSession,
  state: CatalogState,
  policy: PartitionPolicy,
  action: RetirePartition,
  jobId: string,
  detail: JobDetail,
): Promise<void> {
  const { partition } = action
  const table = qualified(partition.schema, partition.name)
  const schema = archiveSchema(policy)
  session.step('dispose', { partition: partition.name })
  const complete = await session.transaction(`remove ${partition.name}`, async () => {
    if (action.ending === 'archive' && schema !== undefined) {
      await session.query(`alter table ${table} set schema ${identifier(schema)}`)
    } else if (action.ending !== 'detach') {
      await session.query(`lock table ${table} in access exclusive mode`)
      if (copies(policy, action) && !(await stillArchived(session, table, detail))) return false
      await session.query(`drop table ${table}`)
    }
    session.step('forget-retirement', { partition: partition.name })
    await deleteJob(session, jobId)
    return true
  })
  if (!complete) await putBack(session, state, policy, action, jobId)
}

async function stillArchived(session: MaintenanceSession, table: string, detail: JobDetail): Promise<boolean> {
  const archived: RowChecksum = { rows: BigInt(detail.rows ?? -1), checksum: detail.checksum ?? '' }
  return sameRows(await checksumRows(session, `${table} as t`), archived)
}

/** Somebody wrote to the partition between its archive and its detach: it goes back, and the next run begins anew. */
async function putBack(
  session: MaintenanceSession,
  state: CatalogState,
  policy: PartitionPolicy,
  action: RetirePartition,
  jobId: string,
): Promise<never> {
  const child = qualified(action.partition.schema, action.partition.name)
  const values = action.bound ?? forValues(policy.key, action.range)
  session.step('put-back', { partition: action.partition.name })
  await session.transaction(`attach ${action.partition.name} again`, async () => {
    await session.query(`alter table ${parentName(state)} attach partition ${child} ${values}`)
    await deleteJob(session, jobId)
  })
  throw new PartitionError({
    code: 'PARTITION_ARCHIVE_MISMATCH',
    message: `${action.partition.name} was written to after it was archived; it is attached again.`,
    details: { shard: session.shard.id, partition: action.partition.name },
  })
}
