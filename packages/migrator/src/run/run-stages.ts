import type { MigrationRow } from '../state/migration-state.ts'
import { inParallel } from './in-parallel.ts'
import type { ResolvedMigratorOptions } from './migrator-options.ts'
import type { Stage } from './plan-run.ts'
import type { ResolvedRunOptions } from './run-options.ts'
import type { StepReport } from './run-report.ts'
import { runStep } from './run-step.ts'
import type { ShardSession } from './shard-session.ts'
import { behindFor, type FleetState } from './stage-barrier.ts'
import { splitIntoWaves } from './waves.ts'

export interface StagesInput {
  readonly stages: readonly Stage[]
  readonly sessions: readonly ShardSession[]
  /** Shards that the run does not hold: others (with their state) and unreachable ones (undefined). */
  readonly others: ReadonlyMap<string, ReadonlyMap<string, MigrationRow> | undefined>
  /** All names, in order. */
  readonly names: readonly string[]
}

export interface StagesResult {
  readonly steps: readonly StepReport[]
  /** Why it ended early. */
  readonly reason: string | undefined
}

/** Runs stage after stage; nobody starts one while an earlier one is incomplete anywhere, unless `allowAhead`. */
export async function runStages(
  input: StagesInput,
  options: ResolvedMigratorOptions,
  run: ResolvedRunOptions,
): Promise<StagesResult> {
  const sessions = new Map(input.sessions.map((session) => [session.shardId, session]))
  const broken = new Set<string>()
  const steps: StepReport[] = []
  let reason: string | undefined
  for (const stage of input.stages) {
    reason ??= whyHeld(stage, input, sessions, run)
    const shards = stage.shards.filter((shard) => !broken.has(shard))
    const done = reason ? undefined : await runStage({ ...stage, shards }, sessions, options, run)
    for (const report of done?.steps ?? []) if (report.outcome === 'failed') broken.add(report.shard)
    steps.push(...(done?.steps ?? []), ...notStarted(stage, done?.steps ?? []))
    reason ??= done?.reason
  }
  return { steps, reason }
}

interface StageResult {
  readonly steps: readonly StepReport[]
  readonly reason: string | undefined
}

async function runStage(
  stage: Stage,
  sessions: ReadonlyMap<string, ShardSession>,
  options: ResolvedMigratorOptions,
  run: ResolvedRunOptions,
): Promise<StageResult> {
  const steps: StepReport[] = []
  const { name } = stage.migration
  let failed = false
  for (const wave of splitIntoWaves(stage.shards, run.waves)) {
    if (
      steps.length > 0 &&
      !(await run.betweenWaves({ migration: name, done: steps.length, left: stage.shards.length - steps.length }))
    ) {
      return { steps, reason: `stopped between two waves of ${name}` }
    }
    const reports = await inParallel(wave, run.concurrency, async (shard) => {
      const session = sessions.get(shard)
      if (!session || run.signal?.aborted || (failed && run.onFailure === 'stop')) return undefined
      const report = await runReported(stage, session, options, run)
      failed ||= report.outcome === 'failed' // keeps the waiting shards of this wave from starting
      return report
    })
    steps.push(...reports.filter((report) => report !== undefined))
    const reason = whyEnded(stage, steps, run)
    if (reason) return { steps, reason }
  }
  return {
    steps,
    reason: steps.some((step) => step.outcome === 'failed') && !run.allowAhead ? failedReason(stage, steps) : undefined,
  }
}

function whyEnded(stage: Stage, steps: readonly StepReport[], run: ResolvedRunOptions): string | undefined {
  if (run.signal?.aborted) return 'stopped as asked'
  const failed = steps.some((step) => step.outcome === 'failed')
  return failed && run.onFailure === 'stop' ? failedReason(stage, steps) : undefined
}

function failedReason(stage: Stage, steps: readonly StepReport[]): string {
  const shards = steps.filter((step) => step.outcome === 'failed').map((step) => step.shard)
  return `${stage.migration.name} failed on ${shards.join(', ')}`
}

function whyHeld(
  stage: Stage,
  { others, names }: StagesInput,
  sessions: ReadonlyMap<string, ShardSession>,
  run: ResolvedRunOptions,
): string | undefined {
  if (run.signal?.aborted) return 'stopped as asked'
  if (run.allowAhead) return undefined
  const own = names.indexOf(stage.migration.name)
  const before = stage.direction === 'up' ? names.slice(0, own) : names.slice(own + 1)
  const held = [...sessions].map(([shard, session]) => [shard, session.rows] as const)
  const fleet: FleetState = new Map([...others, ...held])
  const behind = behindFor(stage, before, fleet)
  return behind.length === 0 ? undefined : `${stage.migration.name} waits for ${behind.join(', ')}`
}

async function runReported(
  { migration, direction }: Stage,
  session: ShardSession,
  options: ResolvedMigratorOptions,
  run: ResolvedRunOptions,
): Promise<StepReport> {
  const at = { migration: migration.name, shard: session.shardId }
  run.onEvent({ type: 'started', ...at })
  const span = options.telemetry.span('shardwright.migrator.step', at)
  const result = await runStep({ migration, direction, session }, options, (attempt) =>
    run.onEvent({ type: 'retrying', ...at, attempt }),
  )
  const error = result.outcome === 'failed' ? result.error : undefined
  span.end(error ? { error } : {})
  if (error) run.onEvent({ type: 'failed', ...at, error })
  else run.onEvent({ type: 'done', ...at, durationMs: result.durationMs })
  return Object.freeze({ ...at, direction, outcome: result.outcome, durationMs: result.durationMs, error })
}

function notStarted({ migration, direction, shards }: Stage, steps: readonly StepReport[]): StepReport[] {
  const left = shards.filter((shard) => !steps.some((step) => step.shard === shard))
  return left.map((shard) =>
    Object.freeze({
      migration: migration.name,
      direction,
      shard,
      outcome: 'not-started',
      durationMs: undefined,
      error: undefined,
    }),
  )
}
