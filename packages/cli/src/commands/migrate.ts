import path from 'node:path'
import {
  createMigrator,
  type Migrator,
  parseWave,
  type RunOptions,
  type RunReport,
  type Target,
  type Wave,
} from '@shardwright/migrator'
import { CliError } from '../errors/cli-error.ts'
import { formatDuration } from '../output/bytes.ts'
import { exitCode } from '../output/exit-code.ts'
import { renderTable } from '../output/table.ts'
import { wrap } from '../output/wrap.ts'
import type { Command, CommandContext, OpenedConfig } from '../run/command.ts'
import { progressOf } from './migrate-progress.ts'
import { renderDryRun } from './migrate-screens.ts'

export interface MigrateOptions {
  readonly shard?: readonly string[]
  readonly canary?: string
  readonly then?: readonly string[]
  readonly concurrency?: string
  readonly continue?: boolean
  readonly allowAhead?: boolean
  readonly allowUnordered?: boolean
  readonly acceptChanged?: boolean
  readonly lint?: boolean
  readonly wait?: string
  readonly dryRun?: boolean
  readonly steps?: string
  /** The argument of `to`. */
  readonly name?: string
}

export const migrateUp: Command<MigrateOptions> = (context, options) =>
  run(context, options, { kind: 'latest' }, (migrator, run) => migrator.up(run))

export const migrateDown: Command<MigrateOptions> = async (context, options) => {
  const steps = wholeNumber('--steps', options.steps ?? '1')
  if (!options.dryRun)
    await context.confirm(
      `Take back the last ${steps === 1 ? 'migration' : `${steps} migrations`}? Data of dropped tables and columns is lost.`,
    )
  return await run(context, options, { kind: 'back', steps }, (migrator, run) => migrator.down({ ...run, steps }))
}

export const migrateTo: Command<MigrateOptions> = async (context, options) => {
  const name = options.name === '0' ? null : (options.name ?? null)
  if (!options.dryRun)
    await context.confirm(
      `Bring every shard to ${name ?? 'before its first migration'}? What is taken back loses its data.`,
    )
  return await run(context, options, { kind: 'at', name }, (migrator, run) => migrator.to(name, run))
}

export const migrateRedo: Command<MigrateOptions> = async (context, options) => {
  if (!options.dryRun) await context.confirm('Take the last migration back and apply it again? Its data is lost.')
  return await run(context, options, { kind: 'back', steps: 1 }, (migrator, run) => migrator.redo(run))
}

/** The migrator of the configuration. */
export function migratorOf({ config, folder, fleet, schema, topology }: OpenedConfig, lockWaitMs = 0): Migrator {
  const { folder: migrations = 'migrations', ...timeouts } = config.migrations ?? {}
  return createMigrator({
    fleet,
    schema,
    topology,
    migrations: path.resolve(folder, migrations),
    lockWaitMs,
    ...timeouts,
  })
}

async function run(
  context: CommandContext,
  options: MigrateOptions,
  target: Target,
  start: (migrator: Migrator, options: RunOptions) => Promise<RunReport>,
) {
  const opened = await context.open()
  const migrator = migratorOf(opened, wholeNumber('--wait', options.wait ?? '0') * 1000)
  const runOptions = runOptionsOf(context, options)
  if (options.dryRun) {
    const steps = await migrator.dryRun(target, runOptions)
    return { data: { steps }, render: (width: number) => renderDryRun(steps, width) }
  }
  const report = await start(migrator, runOptions)
  return {
    data: report,
    render: (width: number) => renderReport(report, width),
    exitCode: report.outcome === 'incomplete' ? exitCode.found : exitCode.ok,
  }
}

function runOptionsOf(context: CommandContext, options: MigrateOptions): RunOptions {
  return {
    shards: options.shard,
    waves: wavesOf(options),
    concurrency: options.concurrency === undefined ? undefined : wholeNumber('--concurrency', options.concurrency),
    onFailure: options.continue ? 'continue' : 'stop',
    allowAhead: options.allowAhead,
    allowUnordered: options.allowUnordered,
    acceptChanged: options.acceptChanged,
    lint: options.lint === false ? 'off' : 'refuse',
    signal: context.signal,
    onEvent: progressOf(context),
    betweenWaves: context.global.yes || !context.screen.interactive ? undefined : (wave) => askBetween(context, wave),
  }
}

async function askBetween(
  context: CommandContext,
  wave: { migration: string; done: number; left: number },
): Promise<boolean> {
  try {
    await context.confirm(`${wave.migration} is done on ${wave.done} shards. Go on with the other ${wave.left}?`)
    return true
  } catch (error) {
    if (error instanceof CliError && error.code === 'NOT_CONFIRMED') return false
    throw error
  }
}

function wavesOf({ canary, then = [] }: MigrateOptions): readonly Wave[] | undefined {
  if (canary === undefined && then.length === 0) return undefined
  return [...(canary === undefined ? [] : [canary]), ...then].map(parseWave)
}

export function wholeNumber(option: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new CliError({
    code: 'USAGE',
    message: `${option} takes a whole number, not ${JSON.stringify(text)}.`,
    hint: 'See --help.',
  })
}

function renderReport(report: RunReport, width: number): string {
  const unreachable = report.unreachable.map(({ shard, error }) => wrap(`${shard}: ${error.message}`, width, '  '))
  if (report.outcome === 'unchanged') return 'Nothing to do: every shard is there already.'
  const table = renderTable(
    report.steps,
    [
      { title: 'migration', of: (step) => step.migration, shrinks: true },
      { title: '', of: (step) => step.direction },
      { title: 'shard', of: (step) => step.shard, shrinks: true },
      { title: 'outcome', of: (step) => step.outcome },
      {
        title: 'time',
        of: (step) => (step.durationMs === undefined ? '' : formatDuration(step.durationMs)),
        align: 'right',
      },
    ],
    width,
  )
  const end =
    report.outcome === 'complete' ? 'Complete.' : `Incomplete: ${report.reason ?? 'see above'}. Run it again to go on.`
  return [...(report.steps.length > 0 ? [table] : []), ...unreachable, wrap(end, width, '  ')].join('\n\n')
}
