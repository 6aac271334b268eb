import { PartitionError } from '../errors/partition-error.ts'
import type { CatalogState } from '../inspect/catalog-state.ts'
import type { RepairDefault } from '../plan/action.ts'
import { bound } from '../plan/range-text.ts'
import type { PartitionPolicy } from '../policy/policy.ts'
import { identifier, literal, qualified } from '../sql/identifier.ts'
import { attachSql, createTableSql, detachSql, parentName } from '../sql/partition-sql.ts'
import { deleteJob, ensureJournal, writeJob } from './journal.ts'
import { noteChange, rest } from './rest.ts'
import type { MaintenanceSession } from './session.ts'
import { disabledTriggers } from './triggers.ts'

/**
 * Moves the rows of one range out of DEFAULT, batch by batch by the key. Each batch is one transaction under ACCESS
 * EXCLUSIVE on the parent: it takes the growing partition off, moves the rows below the next edge into it, and attaches
 * it with that edge as its upper bound. So every row is in exactly one attached partition at every commit, and an UPDATE
 * that waited finds the row where it now is.
 */
export async function repairDefault(
  session: MaintenanceSession,
  state: CatalogState,
  policy: PartitionPolicy,
  action: RepairDefault,
): Promise<bigint> {
  refuseReferenced(state, action)
  await ensureJournal(session)
  const growing: Growing = {
    attached: action.resume !== undefined,
    reached: action.resume?.upTo ?? action.period.from,
    jobId: action.resume?.jobId,
  }
  let rows = 0n
  while (growing.reached < action.period.to) {
    if (rows > 0n) await rest(session)
    session.step('repair-batch', { partition: action.name, rows })
    const moved = await session.transaction(`move rows to ${action.name}`, () =>
      moveBatch(session, state, policy, action, growing),
    )
    growing.attached = true
    growing.reached = moved.upTo
    growing.jobId = moved.jobId
    rows += moved.rows
    noteChange(session)
  }
  return rows
}

interface Growing {
  attached: boolean
  reached: bigint
  jobId: string | undefined
}

interface Moved {
  readonly upTo: bigint
  readonly rows: bigint
  readonly jobId: string | undefined
}

async function moveBatch(
  session: MaintenanceSession,
  state: CatalogState,
  policy: PartitionPolicy,
  action: RepairDefault,
  growing: Readonly<Growing>,
): Promise<Moved> {
  await session.query(`lock table ${parentName(state)} in access exclusive mode`)
  const upTo = await nextEdge(session, policy, action, growing.reached)
  if (growing.attached) {
    await session.query(detachSql(state, { oid: '', schema: state.parent.schema, name: action.name }, false))
  } else {
    await session.script(createTableSql(state, action.name))
  }
  const rows = await moveRows(session, state, policy, action, { from: growing.reached, to: upTo })
  const range = { lower: action.period.from, upper: upTo }
  await session.query(attachSql(state, policy, action.name, range))
  session.step('repair-commit', { partition: action.name, rows })
  return { upTo, rows, jobId: await note(session, state, action, growing, upTo) }
}

/** The key below which one batch of rows lies; the end of the range when there is less than a batch. */
async function nextEdge(
  session: MaintenanceSession,
  policy: PartitionPolicy,
  action: RepairDefault,
  reached: bigint,
): Promise<bigint> {
  const key = identifier(policy.by)
  const table = qualified(action.defaultPartition.schema, action.defaultPartition.name)
  const keyAfter = async (from: string, skip: number) => {
    const { rows } = await session.query<{ edge: string }>(
      `select ${key}::text as edge from ${table} where ${from} and ${key} < ${bound(policy.key, action.period.to)}
        order by ${key} limit 1 offset ${skip}`,
    )
    return rows[0]?.edge
  }
  const nth = await keyAfter(`${key} >= ${bound(policy.key, reached)}`, policy.repairBatchRows)
  if (nth === undefined) return action.period.to
  // Rows of one key cannot be parted: the edge is the first key after those that fill the batch.
  const edge = await keyAfter(`${key} > ${literal(nth)}::${policy.key.cast}`, 0)
  if (edge === undefined) return action.period.to
  const position = policy.key.parse(edge, 'upper')
  return position === undefined || position > action.period.to ? action.period.to : position
}

async function moveRows(
  session: MaintenanceSession,
  state: CatalogState,
  policy: PartitionPolicy,
  action: RepairDefault,
  range: { readonly from: bigint; readonly to: bigint },
): Promise<bigint> {
  const key = identifier(policy.by)
  const move: Move = {
    from: qualified(action.defaultPartition.schema, action.defaultPartition.name),
    to: qualified(state.parent.schema, action.name),
    columns: await columnList(session, state),
    where: `${key} >= ${bound(policy.key, range.from)} and ${key} < ${bound(policy.key, range.to)}`,
  }
  // A row that moves is neither deleted nor inserted as far as anybody's triggers are concerned.
  const { moved, stored } = await disabledTriggers(session, action.defaultPartition, () =>
    state.parent.distributed ? moveInTwoStatements(session, move) : moveInOne(session, move),
  )
  if (moved === stored) return moved
  throw new PartitionError({
    code: 'PARTITION_ACTION_FAILED',
    message: `Of ${moved} rows taken from ${move.from} only ${stored} were stored; the batch was rolled back.`,
  })
}

interface Move {
  readonly from: string
  readonly to: string
  readonly columns: string
  readonly where: string
}

interface MovedCounts {
  readonly moved: bigint
  readonly stored: bigint
}

async function moveInOne(session: MaintenanceSession, { from, to, columns, where }: Move): Promise<MovedCounts> {
  const { rows } = await session.query<{ moved: string; stored: string }>(`
    with moved as (delete from ${from} where ${where} returning ${columns}),
    stored as (insert into ${to} (${columns}) select ${columns} from moved returning 1)
    select (select count(*) from moved)::text as moved, (select count(*) from stored)::text as stored`)
  return { moved: BigInt(rows[0]?.moved ?? 0), stored: BigInt(rows[0]?.stored ?? -1) }
}

/** Citus takes no DELETE in WITH over many shards; nobody writes between the two, for the parent is locked. */
async function moveInTwoStatements(
  session: MaintenanceSession,
  { from, to, columns, where }: Move,
): Promise<MovedCounts> {
  const stored = await session.query(`insert into ${to} (${columns}) select ${columns} from ${from} where ${where}`)
  const moved = await session.query(`delete from ${from} where ${where}`)
  return { moved: BigInt(moved.rowCount ?? 0), stored: BigInt(stored.rowCount ?? -1) }
}

/** Generated columns are computed again. */
async function columnList(session: MaintenanceSession, state: CatalogState): Promise<string> {
  const { rows } = await session.query<{ name: string }>(
    `select attname::text as name from pg_attribute
      where attrelid = $1::oid and attnum > 0 and not attisdropped and attgenerated = '' order by attnum`,
    [state.parent.oid],
  )
  return rows.map((row) => identifier(row.name)).join(', ')
}

async function note(
  session: MaintenanceSession,
  state: CatalogState,
  action: RepairDefault,
  growing: Readonly<Growing>,
  upTo: bigint,
): Promise<string | undefined> {
  if (upTo >= action.period.to) {
    if (growing.jobId !== undefined) await deleteJob(session, growing.jobId)
    return undefined
  }
  if (growing.jobId !== undefined) return growing.jobId
  const { rows } = await session.query<{ oid: string }>('select $1::regclass::oid::text as oid', [
    qualified(state.parent.schema, action.name),
  ])
  return await writeJob(session, {
    parentOid: state.parent.oid,
    kind: 'repair',
    childOid: (rows[0] as { oid: string }).oid,
    detail: { lower: String(action.period.from), upper: String(action.period.to) },
  })
}

function refuseReferenced(state: CatalogState, action: RepairDefault): void {
  if (state.incomingForeignKeys.length === 0) return
  throw new PartitionError({
    code: 'PARTITION_REPAIR_REFERENCED',
    message: `${action.rows} rows wait in ${action.defaultPartition.name}, but are referenced through ${state.incomingForeignKeys.join(', ')}; nothing was moved.`,
    details: { foreignKeys: state.incomingForeignKeys },
  })
}
