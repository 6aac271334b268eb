import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { AnyTopology } from '@shardwright/core'
import { type LoadProfileName, loadProfile, plotLoad, runLoad, type Workload } from '@shardwright/monitor'
import { createShardRouter } from '@shardwright/shard-router'
import { CliError } from '../../errors/cli-error.ts'
import { exitCode } from '../../output/exit-code.ts'
import type { Command, CommandContext, OpenedConfig } from '../../run/command.ts'
import type { LoadContext } from './define-load.ts'
import { remoteServers } from './remote-servers.ts'
import { renderLoad } from './render-load.ts'

export interface LoadCommandOptions {
  readonly file: string
  readonly profile?: LoadProfileName
  readonly rate?: string
  readonly duration?: string
  readonly inFlight?: string
  readonly seed?: string
  readonly even?: boolean
  readonly plot?: string
}

/** Runs a workload file through a router of its own; ends by itself. */
export const load: Command<LoadCommandOptions> = async (context, options) => {
  const profile = options.profile ?? 'smoke'
  const rate = numberOf('--rate', options.rate ?? '50', 1_000_000)
  const seconds = options.duration === undefined ? undefined : numberOf('--duration', options.duration, 86_400)
  const maxInFlight = options.inFlight === undefined ? undefined : wholeOf('--in-flight', options.inFlight)
  const seed = options.seed === undefined ? undefined : wholeOf('--seed', options.seed)
  const stages = loadProfile(profile, { rate, durationMs: seconds === undefined ? undefined : seconds * 1000 })
  const opened = await context.open()
  const { topology } = opened
  const workload = await importWorkload(options.file)
  await confirmServers(topology, context)
  const router = createShardRouter({ schema: opened.schema, topology })
  try {
    await router.ready()
    const report = await runLoad({
      workload,
      stages,
      context: { router, db: router.db } as LoadContext<OpenedConfig['schema']>,
      maxInFlight,
      seed,
      poisson: options.even !== true,
      signal: context.signal,
    })
    const title = `${path.basename(options.file)}, ${profile}`
    if (options.plot !== undefined)
      await writeFile(path.resolve(options.plot), plotLoad(report, { title, memory: profile === 'soak' }))
    const bad = report.broken.length > 0 || report.end === 'errors' || report.end === 'overload'
    return {
      data: report,
      render: (width) => renderLoad(title, report, width),
      exitCode: bad ? exitCode.found : exitCode.ok,
    }
  } finally {
    await router.close()
  }
}

async function importWorkload(file: string): Promise<Workload<LoadContext<OpenedConfig['schema']>>> {
  let module: { default?: unknown }
  try {
    module = (await import(pathToFileURL(path.resolve(file)).href)) as { default?: unknown }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw usage(`${file} cannot be loaded: ${reason}`, 'Its default export is made by defineLoad.', cause)
  }
  if (typeof module.default === 'object' && module.default !== null) return module.default as never
  throw usage(
    `${file} has no workload as its default export.`,
    'export default defineLoad<typeof schema>({ operations })',
  )
}

/** A load run can take a server down: one of another machine has to be meant. */
async function confirmServers(topology: AnyTopology, context: CommandContext): Promise<void> {
  const remote = remoteServers(topology)
  if (remote.length === 0) return
  await context.confirm(`Put load on ${remote.join(', ')}? Only do this to servers that are yours.`)
}

function numberOf(option: string, text: string, most: number): number {
  const value = Number(text)
  if (value > 0 && value <= most) return value
  throw usage(`${option} takes a number above 0, at most ${most}, not ${JSON.stringify(text)}.`, `e.g. ${option} 60`)
}

function wholeOf(option: string, text: string): number {
  if (/^\d{1,9}$/.test(text) && Number(text) > 0) return Number(text)
  throw usage(`${option} takes a whole number from 1, not ${JSON.stringify(text)}.`, `e.g. ${option} 100`)
}

function usage(message: string, hint: string, cause?: unknown): CliError {
  return new CliError({ code: 'USAGE', message, hint, cause })
}
