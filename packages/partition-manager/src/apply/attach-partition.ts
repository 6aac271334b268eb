import type { FleetShard } from '@shardwright/core'
import { PartitionError } from '../errors/partition-error.ts'
import type { CatalogState } from '../inspect/catalog-state.ts'
import { inspectPartitions } from '../inspect/inspect.ts'
import { forValues, rangeCondition, rangeText } from '../plan/range-text.ts'
import type { Range } from '../plan/wanted.ts'
import { parseTime } from '../policy/parse-time.ts'
import type { PartitionPolicy } from '../policy/policy.ts'
import { identifier, qualified } from '../sql/identifier.ts'
import { busy } from './apply-plan.ts'
import { lockParent } from './parent-lock.ts'
import { type RunOptions, resolveRunOptions } from './run-options.ts'
import { MaintenanceSession } from './session.ts'

export interface AttachOptions extends RunOptions {
  /** The table to attach, in the parent's schema. */
  readonly table: string
  /** ISO date or time: in the policy's zone, or with an offset. */
  readonly from: string
  readonly to: string
}

const checkName = 'shardwright_attach'

/**
 * Attaches an existing table as a partition. Its rows are checked against the range first, by a CHECK that is validated
 * while the parent is not locked at all, so that the attach itself scans nothing. Safe to run again.
 * @throws PartitionError PARTITION_BUSY, PARTITION_ACTION_FAILED when a row lies outside or the columns differ
 * @example
 * await attachPartition(shard, transactions, { table: 'transactions_2024', from: '2024-01-01', to: '2025-01-01' })
 */
export async function attachPartition(
  shard: FleetShard,
  policy: PartitionPolicy,
  options: AttachOptions,
): Promise<void> {
  const table = `${policy.schema}.${policy.table}`
  const range = { lower: timeOf(options.from, policy), upper: timeOf(options.to, policy) }
  await using session = await MaintenanceSession.open(shard, table, resolveRunOptions(options))
  if (!(await lockParent(session, policy))) throw busy({ table, shard: shard.id })
  const state = await inspectPartitions(session.connection, policy)
  if (alreadyAttached(state, options.table, range)) return
  const child = qualified(policy.schema, options.table)
  const inherited = await ancestorsCondition(session, state)
  const check = identifier(checkName)
  const detail = { partition: options.table }
  session.step('attach-check', detail)
  await session.withShortLocks(`check the rows of ${options.table}`, () =>
    session.script([
      `alter table ${child} drop constraint if exists ${check}`,
      `alter table ${child} add constraint ${check} check (${rangeCondition(policy.key, identifier(policy.by), range)}${inherited}) not valid`,
    ]),
  )
  session.step('attach-validate', detail)
  await session.withShortLocks(`validate the rows of ${options.table}`, () =>
    session.query(`alter table ${child} validate constraint ${check}`),
  )
  session.step('attach', detail)
  await session.transaction(`attach ${options.table}`, async () => {
    await session.query(
      `alter table ${qualified(policy.schema, policy.table)} attach partition ${child} ${forValues(policy.key, range)}`,
    )
    await session.query(`alter table ${child} drop constraint ${check}`)
  })
}

function alreadyAttached(state: CatalogState, table: string, range: Range): boolean {
  const found = state.partitions.find(
    (partition) => partition.name === table && partition.schema === state.parent.schema,
  )
  if (!found) return false
  if (!found.detachPending && found.lower === range.lower && found.upper === range.upper) return true
  throw new PartitionError({
    code: 'PARTITION_ACTION_FAILED',
    message: found.detachPending
      ? `${table} is under a concurrent detach that was cut: run the maintenance, which ends it, first.`
      : `${table} is attached for ${rangeText(found)}, not for ${rangeText(range)}.`,
    details: { shard: state.shard, partition: table },
  })
}

/** A parent that is a partition itself hands down the condition of its own bounds: unproven, the attach would read for it. */
async function ancestorsCondition(session: MaintenanceSession, state: CatalogState): Promise<string> {
  const { rows } = await session.query<{ condition: string | null }>(
    'select pg_get_partition_constraintdef($1::oid) as condition',
    [state.parent.oid],
  )
  const condition = rows[0]?.condition
  return condition ? ` and (${condition})` : ''
}

function timeOf(text: string, policy: PartitionPolicy): bigint {
  const position = parseTime(text, policy.key, policy.zone)
  if (position !== undefined) return position
  throw new PartitionError({
    code: 'PARTITION_BOUND_UNREADABLE',
    message: `'${text}' is not an ISO date or time.`,
  })
}
