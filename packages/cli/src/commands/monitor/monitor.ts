import { appendFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspectKeysOfFleet, isCitus } from '@shardwright/core'
import {
  type Alarm,
  alarmsOf,
  bucketSizes,
  createMonitor,
  defaultCollectors,
  diskUse,
  type Monitor,
  type MonitorRound,
} from '@shardwright/monitor'
import { nodeFleet } from '../../citus/node-fleet.ts'
import { hashTopology } from '../../config/engine.ts'
import { CliError } from '../../errors/cli-error.ts'
import { exitCode } from '../../output/exit-code.ts'
import type { LiveScreen } from '../../output/live-screen.ts'
import type { Screen } from '../../output/screen.ts'
import type { Command, CommandContext, CommandResult, OpenedConfig } from '../../run/command.ts'
import { renderRound } from './render-round.ts'

export interface MonitorCommandOptions {
  readonly once?: boolean
  readonly every?: string
  readonly record?: string
  readonly buckets?: boolean
}

/** Between the two looks of a single measurement: rates are differences. */
const betweenLooksMs = 1_000

/** Measures every server: again and again until Ctrl-C in a terminal or while recording, else once. */
export const monitor: Command<MonitorCommandOptions> = async (context, options) => {
  const everyMs = secondsOf(options.every ?? '2') * 1000
  const opened = await context.open()
  const { topology } = opened
  const measuring = await monitorOf(opened, options)
  const record = recorder(measuring, options.record)
  const lasting = !context.global.json && !options.once && (context.screen.interactive || options.record !== undefined)
  // The first look knows no rates, and is not recorded.
  const first = () => measuring.collect(context.signal)
  const next = () => look(measuring, record, context.signal)
  if (lasting) return resultOf(await goOn({ first, next, everyMs, name: topology.id }, context), topology.id)
  await first()
  await pause(betweenLooksMs, context)
  return resultOf(await next(), topology.id)
}

interface Lasting {
  readonly first: () => Promise<MonitorRound>
  readonly next: () => Promise<MonitorRound>
  readonly everyMs: number
  readonly name: string
}

/** Looks until Ctrl-C; gives the last whole look. */
async function goOn({ first, next, everyMs, name }: Lasting, context: CommandContext): Promise<MonitorRound> {
  const { screen, signal } = context
  const live = screen.live?.()
  // At once, so that what is said about the end stands where the results will.
  signal.addEventListener('abort', () => live?.close(), { once: true })
  live?.show(() => `${name}\n\nMeasuring ...`)
  try {
    let round = await first()
    while (!signal.aborted) {
      show(round, name, screen, live)
      await pause(everyMs, context)
      if (!signal.aborted) round = await next().catch(unlessAborted(signal, round))
    }
    return round
  } finally {
    live?.close()
  }
}

function unlessAborted(signal: AbortSignal, round: MonitorRound): (error: unknown) => MonitorRound {
  return (error) => {
    if (signal.aborted) return round
    throw error
  }
}

async function monitorOf(
  { fleet, schema, topology, config: { machines = {} } }: OpenedConfig,
  { buckets }: MonitorCommandOptions,
): Promise<Monitor> {
  const collectors = [...defaultCollectors, diskUse({ machines })]
  if (!buckets) {
    return createMonitor({ fleet: isCitus(topology) ? await nodeFleet(topology, fleet) : fleet, collectors })
  }
  const hashed = hashTopology(topology, 'Citus has no buckets: `shardwright status` shows the shards.')
  const keys = await inspectKeysOfFleet(fleet, schema)
  return createMonitor({ fleet, collectors: [...collectors, bucketSizes({ topology: hashed, schema, keys })] })
}

async function look(measuring: Monitor, record: () => Promise<void>, signal: AbortSignal): Promise<MonitorRound> {
  const round = await measuring.collect(signal)
  await record()
  return round
}

/** In a terminal that cannot be drawn over, one below the other; while nobody looks, not at all. */
function show(round: MonitorRound, name: string, screen: Screen, live: LiveScreen | undefined): void {
  const alarms = alarmsOf(round.samples)
  if (live) live.show((width) => renderRound(name, round, alarms, width, 'Ctrl-C ends it.'))
  else if (screen.interactive) screen.line(`${renderRound(name, round, alarms, screen.width)}\n`)
}

function resultOf(round: MonitorRound, name: string): CommandResult {
  const alarms: readonly Alarm[] = alarmsOf(round.samples)
  return {
    data: { atMs: round.atMs, alarms, samples: round.samples, failures: round.failures },
    render: (width) => renderRound(name, round, alarms, width),
    exitCode: alarms.some(({ level }) => level === 'critical') ? exitCode.found : exitCode.ok,
  }
}

function recorder(measuring: Monitor, file: string | undefined): () => Promise<void> {
  return async () => {
    const point = measuring.history.points().at(-1)
    if (file !== undefined && point) await appendFile(path.resolve(file), `${JSON.stringify(point)}\n`)
  }
}

async function pause(ms: number, { signal }: CommandContext): Promise<void> {
  // Ctrl-C wakes it.
  await sleep(ms, undefined, { signal }).catch(() => {})
}

function secondsOf(text: string): number {
  const seconds = Number(text)
  if (seconds >= 0.2 && seconds <= 86_400) return seconds
  throw new CliError({
    code: 'USAGE',
    message: `--every takes seconds from 0.2, not ${JSON.stringify(text)}.`,
    hint: 'e.g. --every 15',
  })
}
