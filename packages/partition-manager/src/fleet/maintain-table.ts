import type { FleetShard } from '@shardwright/core'
import { type ActionOutcome, runPlan } from '../apply/apply-plan.ts'
import { lockParent } from '../apply/parent-lock.ts'
import type { ResolvedRunOptions } from '../apply/run-options.ts'
import { MaintenanceSession } from '../apply/session.ts'
import { failureOf } from '../errors/failure.ts'
import type { CatalogState } from '../inspect/catalog-state.ts'
import { inspectPartitions } from '../inspect/inspect.ts'
import type { PartitionPlan } from '../plan/partition-plan.ts'
import { planPartitions } from '../plan/plan-partitions.ts'
import type { PartitionPolicy } from '../policy/policy.ts'
import { figuresOf, measure } from './figures.ts'
import type { TableReport } from './report.ts'

export interface TableRun {
  readonly shard: FleetShard
  readonly policy: PartitionPolicy
  readonly dryRun: boolean
  readonly force: boolean
  readonly options: ResolvedRunOptions
}

/** Inspect, plan and apply one table on one shard; never throws. */
export async function maintainTable(run: TableRun): Promise<TableReport> {
  const { clock, telemetry } = run.options
  const table = `${run.policy.schema}.${run.policy.table}`
  const started = clock.monotonicMs()
  const attributes = { shard: run.shard.id, table }
  const span = telemetry.span('shardwright.partitions.maintain', attributes)
  const report = await attempt(run, table)
  const failed = report.outcome === 'failed'
  span.end({ attributes: { outcome: report.outcome }, ...(failed && { error: report.failure }) })
  if (failed) telemetry.log('error', `Maintenance of ${table} failed: ${reasonOf(report)}`, attributes)
  else if (report.outcome === 'done' || report.outcome === 'nothing-to-do') {
    telemetry.gauge('shardwright.partitions.last_success_seconds', Math.floor(clock.now() / 1000), attributes)
  }
  return Object.freeze({ ...report, durationMs: clock.monotonicMs() - started })
}

type Attempt = Omit<TableReport, 'durationMs'>

async function attempt(run: TableRun, table: string): Promise<Attempt> {
  const base = { shard: run.shard.id, table, actions: [], problems: [] }
  try {
    await using session = await MaintenanceSession.open(run.shard, table, run.options)
    // A standby has no advisory lock to share with its primary, and nothing to do.
    const first = run.dryRun ? await planOf(session, run) : await lockedPlan(session, run)
    if (first === 'busy') return { ...base, outcome: 'busy' }
    if (first.plan.state.standby) return { ...base, outcome: 'standby', problems: first.plan.problems }
    if (run.dryRun) {
      const figures = figuresOf(first.state, run.policy)
      return { ...base, outcome: 'planned', problems: first.plan.problems, plan: first.plan, figures }
    }
    const actions = await runPlan(session, first.plan)
    const after = await stateAfter(session, run, actions, first.state)
    measure(run.options.telemetry, after, run.policy)
    return {
      ...base,
      outcome: outcomeOf(first.plan, actions),
      actions,
      problems: first.plan.problems,
      figures: figuresOf(after, run.policy),
    }
  } catch (error) {
    return { ...base, outcome: 'failed', failure: failureOf(error) }
  }
}

interface Planned {
  readonly state: CatalogState
  readonly plan: PartitionPlan
}

async function lockedPlan(session: MaintenanceSession, run: TableRun): Promise<Planned | 'busy'> {
  if (!(await lockParent(session, run.policy))) return 'busy'
  return await planOf(session, run)
}

async function planOf(session: MaintenanceSession, run: TableRun): Promise<Planned> {
  const state = await session.withShortLocks('inspect', () => inspectPartitions(session.connection, run.policy))
  const callerNow = BigInt(Math.floor(run.options.clock.now())) * 1000n
  return { state, plan: planPartitions(state, run.policy, state.serverTime, { force: run.force, callerNow }) }
}

async function stateAfter(
  session: MaintenanceSession,
  run: TableRun,
  actions: readonly ActionOutcome[],
  before: CatalogState,
): Promise<CatalogState> {
  if (actions.length === 0 || !(await session.isAlive())) return before
  return await session.withShortLocks('inspect', () => inspectPartitions(session.connection, run.policy))
}

function outcomeOf(plan: PartitionPlan, actions: readonly ActionOutcome[]): TableReport['outcome'] {
  if (actions.some((action) => action.outcome !== 'done')) return 'failed'
  if (plan.problems.some((problem) => problem.severity === 'error')) return 'failed'
  return actions.length === 0 ? 'nothing-to-do' : 'done'
}

function reasonOf(report: Attempt): string {
  const failed = report.actions.find((action) => action.failure)
  const problem = report.problems.find((candidate) => candidate.severity === 'error')
  return report.failure?.message ?? failed?.failure?.message ?? problem?.message ?? 'not everything was reached'
}
