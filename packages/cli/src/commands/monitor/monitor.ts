import { appendFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspectKeysOfFleet } from '@shardwright/core'
import {
  type Alarm,
  alarmsOf,
  bucketSizes,
  createMonitor,
  defaultCollectors,
  type Monitor,
  type MonitorRound,
} from '@shardwright/monitor'
import { hashTopology } from '../../config/engine.ts'
import { CliError } from '../../errors/cli-error.ts'
import { exitCode } from '../../output/exit-code.ts'
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
const clearScreen = '\u001b[2J\u001b[H'

/** Measures every server: again and again until Ctrl-C in a terminal or while recording, else once. */
export const monitor: Command<MonitorCommandOptions> = async (context, options) => {
  const everyMs = secondsOf(options.every ?? '2') * 1000
  const opened = await context.open()
  const { topology } = opened
  const measuring = await monitorOf(opened, options)
  const record = recorder(measuring, options.record)
  // The first look knows no rates, and is not recorded.
  let round = await measuring.collect()
  const lasting = !context.global.json && !options.once && (context.screen.interactive || options.record !== undefined)
  if (!lasting) {
    await pause(betweenLooksMs, context)
    round = await look(measuring, record)
  }
  while (lasting && !context.signal.aborted) {
    await pause(everyMs, context)
    if (context.signal.aborted) break
    round = await look(measuring, record)
    if (context.screen.interactive) show(round, topology.id, context)
  }
  return resultOf(round, topology.id)
}

async function monitorOf(
  { fleet, schema, topology }: OpenedConfig,
  { buckets }: MonitorCommandOptions,
): Promise<Monitor> {
  if (!buckets) return createMonitor({ fleet })
  const hashed = hashTopology(topology, 'Citus has no buckets: `shardwright status` shows the shards.')
  const keys = await inspectKeysOfFleet(fleet, schema)
  return createMonitor({ fleet, collectors: [...defaultCollectors, bucketSizes({ topology: hashed, schema, keys })] })
}

async function look(measuring: Monitor, record: () => Promise<void>): Promise<MonitorRound> {
  const round = await measuring.collect()
  await record()
  return round
}

/** What cannot be had now is left out of the screen; the last round is printed in the end. */
function show(round: MonitorRound, name: string, { screen }: CommandContext): void {
  screen.line(`${clearScreen}${renderRound(name, round, alarmsOf(round.samples), screen.width)}\n\nCtrl-C ends it.`)
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
