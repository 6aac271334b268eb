import { MigrationError } from '../errors/migration-error.ts'
import type { Finding } from '../lint/finding.ts'
import { lintMigrations, refuseUnsafe } from '../lint/lint-migrations.ts'
import type { Migration } from '../migration/migration.ts'
import { readMigrations } from '../migration/migration-source.ts'
import { checkHistory } from './check-history.ts'
import { type DryRunStep, dryRunStage } from './dry-run.ts'
import { type FleetStatus, readFleetStatus } from './fleet-status.ts'
import { type MigratorOptions, type ResolvedMigratorOptions, resolveMigratorOptions } from './migrator-options.ts'
import { openSessions, readStates } from './open-sessions.ts'
import { planRun, type ShardStates, type Stage, type Target } from './plan-run.ts'
import { type ResolvedRunOptions, type RunOptions, resolveRunOptions } from './run-options.ts'
import type { RunReport } from './run-report.ts'
import { runStages } from './run-stages.ts'
import { chooseShards, type ShardSession } from './shard-session.ts'

/** Migrations of one fleet; made by `createMigrator`. */
export interface Migrator {
  /** Brings every shard to the last migration (or to `to`). */
  up(options?: RunOptions): Promise<RunReport>
  /** Takes the last `steps` migrations back, on every shard that has them. Default 1. */
  down(options?: RunOptions & { readonly steps?: number }): Promise<RunReport>
  /** Brings every shard to just after `name`, up or down; `null` takes everything back. */
  to(name: string | null, options?: RunOptions): Promise<RunReport>
  /** Takes the last migration back and applies it again. */
  redo(options?: RunOptions): Promise<RunReport>
  /** Where every shard stands. Changes nothing. */
  status(): Promise<FleetStatus>
  /** The SQL that the same call would send. Changes nothing. */
  dryRun(target?: Target, options?: RunOptions): Promise<readonly DryRunStep[]>
  /** What the linter says of the migrations that are left to do, or of all. Touches no server when `all`. */
  lint(options?: { readonly all?: boolean }): Promise<readonly Finding[]>
  /** The migrations, in order. */
  migrations(): Promise<readonly Migration[]>
}

/**
 * Makes a migrator. Nothing is read or connected before its first call.
 *
 * @throws MigrationError INVALID_OPTIONS
 * @example
 * const migrator = createMigrator({ fleet: router.fleet, migrations: 'migrations' })
 * const report = await migrator.up({ waves: [1, '25%', 'all'] })
 * if (report.outcome === 'incomplete') console.error(report.reason)
 */
export function createMigrator(options: MigratorOptions): Migrator {
  return new FleetMigrator(resolveMigratorOptions(options))
}

class FleetMigrator implements Migrator {
  readonly #options: ResolvedMigratorOptions

  constructor(options: ResolvedMigratorOptions) {
    this.#options = options
  }

  up(options: RunOptions = {}): Promise<RunReport> {
    return this.#run({ kind: 'latest' }, resolveRunOptions(options))
  }

  down({ steps = 1, ...options }: RunOptions & { readonly steps?: number } = {}): Promise<RunReport> {
    return this.#run({ kind: 'back', steps }, resolveRunOptions(options))
  }

  to(name: string | null, options: RunOptions = {}): Promise<RunReport> {
    return this.#run({ kind: 'at', name }, resolveRunOptions(options))
  }

  async redo(options: RunOptions = {}): Promise<RunReport> {
    const run = resolveRunOptions(options)
    const back = await this.#run({ kind: 'back', steps: 1 }, run)
    const name = back.steps[0]?.migration
    if (back.outcome !== 'complete' || name === undefined) return back
    const again = await this.#run({ kind: 'at', name }, { ...run, lint: 'off' })
    return { ...again, steps: [...back.steps, ...again.steps] }
  }

  async status(): Promise<FleetStatus> {
    return await readFleetStatus(await this.migrations(), this.#options)
  }

  async dryRun(target: Target = { kind: 'latest' }, options: RunOptions = {}): Promise<readonly DryRunStep[]> {
    const stages = await this.#planWithoutLock(target, resolveRunOptions(options))
    const steps: DryRunStep[] = []
    for (const stage of stages) steps.push(...(await dryRunStage(stage, this.#options)))
    return steps
  }

  async lint({ all = false }: { readonly all?: boolean } = {}): Promise<readonly Finding[]> {
    if (all) return await lintMigrations(await this.migrations(), this.#options)
    const stages = await this.#planWithoutLock(
      { kind: 'latest' },
      resolveRunOptions({ acceptChanged: true, allowUnordered: true }),
    )
    return await lintMigrations(
      stages.map((stage) => stage.migration),
      this.#options,
    )
  }

  async migrations(): Promise<readonly Migration[]> {
    return await readMigrations(this.#options.migrations)
  }

  async #planWithoutLock(target: Target, run: ResolvedRunOptions): Promise<readonly Stage[]> {
    const migrations = await this.migrations()
    const chosen = chooseShards(this.#options.fleet, run.shards)
    const states = await readStates(chosen, this.#options, run.concurrency)
    const silent = chosen.filter((shard) => !states.has(shard.id)).map((shard) => shard.id)
    if (silent.length > 0 && run.onFailure === 'stop') throw unknownStates(silent)
    checkHistory(migrations, states, run)
    return planRun(migrations, states, target)
  }

  async #run(target: Target, run: ResolvedRunOptions): Promise<RunReport> {
    const migrations = await this.migrations()
    const chosen = chooseShards(this.#options.fleet, run.shards)
    await using opened = await openSessions(chosen, this.#options, run)
    const { sessions, others, unreachable } = opened
    if (unreachable.length > 0 && (run.onFailure === 'stop' || sessions.length === 0)) return nothingRun(unreachable)
    const states: ShardStates = new Map(sessions.map((session) => [session.shardId, session.rows]))
    checkHistory(migrations, states, run)
    if (run.acceptChanged) await acceptChanges(migrations, sessions)
    const stages = planRun(migrations, states, target)
    await this.#refuseUnsafe(stages, run)
    run.onEvent({
      type: 'planned',
      steps: stages.map(({ migration, direction, shards }) => ({ migration: migration.name, direction, shards })),
    })
    const names = migrations.map((migration) => migration.name)
    const { steps, reason } = await runStages({ stages, sessions, others, names }, this.#options, run)
    return report(steps, unreachable, reason)
  }

  async #refuseUnsafe(stages: readonly Stage[], run: ResolvedRunOptions): Promise<void> {
    const upwards = stages.filter((stage) => stage.direction === 'up').map((stage) => stage.migration)
    if (run.lint === 'refuse') refuseUnsafe(await lintMigrations(upwards, this.#options))
  }
}

function unknownStates(shards: readonly string[]): MigrationError {
  return new MigrationError({
    code: 'FLEET_INCOMPLETE',
    message: `What is left to do on ${shards.join(', ')} is not known: the state cannot be read.`,
    hint: "Bring them back, name other shards, or go on without them (onFailure: 'continue').",
    details: { shards },
  })
}

function nothingRun(unreachable: RunReport['unreachable']): RunReport {
  const shards = unreachable.map((entry) => entry.shard).join(', ')
  return { outcome: 'incomplete', steps: [], unreachable, reason: `nothing was started: ${shards} cannot be reached` }
}

function report(
  steps: RunReport['steps'],
  unreachable: RunReport['unreachable'],
  reason: string | undefined,
): RunReport {
  const whole = unreachable.length === 0 && steps.every((step) => step.outcome === 'done')
  const outcome = whole ? (steps.length === 0 ? 'unchanged' : 'complete') : 'incomplete'
  const missing = unreachable.map((entry) => entry.shard).join(', ')
  return Object.freeze({
    outcome,
    steps,
    unreachable,
    reason: reason ?? (missing === '' ? undefined : `${missing} cannot be reached`),
  })
}

async function acceptChanges(migrations: readonly Migration[], sessions: readonly ShardSession[]) {
  for (const session of sessions) {
    for (const migration of migrations) {
      const row = session.rows.get(migration.name)
      if (row?.state !== 'applied' || row.checksum === migration.checksum) continue
      await session.store.acceptChecksum(migration)
    }
  }
}

/** Throws unless the run ended with everything in place; for deploy scripts that want an exception. */
export function assertComplete(report: RunReport): void {
  if (report.outcome !== 'incomplete') return
  const cause = report.steps.find((step) => step.error)?.error ?? report.unreachable[0]?.error
  throw new MigrationError({
    code: 'FLEET_INCOMPLETE',
    message: `The run is incomplete: ${report.reason ?? 'see its steps'}.`,
    hint: 'Run it again once the cause is gone: only what is left will run.',
    details: {
      left: report.steps
        .filter((step) => step.outcome !== 'done')
        .map(({ migration, shard }) => ({ migration, shard })),
    },
    cause,
  })
}
