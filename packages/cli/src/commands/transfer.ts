import { type AnyTopology, fleetOf, isCitus } from '@shardwright/core'
import { type TransferEvent, type TransferReport, transferData } from '@shardwright/migrator'
import { loadConfig } from '../config/load-config.ts'
import { resolveTopology } from '../config/resolve-topology.ts'
import { formatDuration } from '../output/bytes.ts'
import { renderTable } from '../output/table.ts'
import { wrap } from '../output/wrap.ts'
import type { Command, CommandContext } from '../run/command.ts'
import { wholeNumber } from './migrate.ts'

export interface TransferCommandOptions {
  /** The configuration whose topology is the target. */
  readonly to: string
  readonly concurrency?: string
  readonly restart?: boolean
  /** False with --no-hold. */
  readonly hold?: boolean
}

/** Brings all data of this configuration's topology to that of another one, and compares both. */
export const transfer: Command<TransferCommandOptions> = async (context, options) => {
  const opened = await context.open()
  const topology = resolveTopology((await loadConfig(options.to)).config)
  const { Client } = (await import('pg')).default
  await context.confirm(questionOf(opened.topology, topology, options))
  const report = await transferData({
    schema: opened.schema,
    source: { fleet: opened.fleet, topology: opened.topology },
    target: { fleet: fleetOf(topology, Client), topology },
    concurrency: options.concurrency === undefined ? undefined : wholeNumber('--concurrency', options.concurrency),
    restart: options.restart === true,
    holdWrites: options.hold !== false,
    signal: context.signal,
    onProgress: (event) => note(context, event),
  })
  return { data: report, render: (width) => renderReport(report, width) }
}

function questionOf(from: AnyTopology, to: AnyTopology, { restart, hold }: TransferCommandOptions): string {
  const writers = hold === false ? 'Nothing may write there meanwhile.' : 'Writers there wait until it has ended.'
  const emptied = restart ? ` EVERY ROW of the target's tables is deleted first.` : ''
  return `Copy all data from ${describe(from)} to ${describe(to)}? ${writers}${emptied}`
}

function describe(topology: AnyTopology): string {
  if (isCitus(topology)) return `'${topology.id}' (Citus, ${topology.coordinator.address})`
  return `'${topology.id}' (${topology.shards.length} shards by ${topology.hash} hash)`
}

function note({ global, screen }: CommandContext, event: TransferEvent): void {
  if (!global.json) screen.note(lineOf(event))
}

function lineOf(event: TransferEvent): string {
  switch (event.step) {
    case 'holding':
      return 'The writers of the source wait.'
    case 'sequences':
      return 'Sequences are set.'
    case 'verified':
      return `${event.table}: ${event.rows} rows, equal on both ends`
    case 'skipped':
      return `${event.table} of ${event.shard}: there already`
    case 'copied':
      return `${event.table} of ${event.shard}: ${event.rows} rows copied`
  }
}

function renderReport({ tables, sequences, durationMs }: TransferReport, width: number): string {
  const table = renderTable(
    tables,
    [
      { title: 'table', of: (row) => row.table, shrinks: true },
      { title: 'rows', of: (row) => row.rows, align: 'right' },
      { title: 'copied', of: (row) => row.copied, align: 'right' },
    ],
    width,
  )
  const end = `Equal by count and checksum after ${formatDuration(durationMs)}; ${sequences.length} sequences set. Switch the services to the new topology before anybody writes.`
  return `${table}\n\n${wrap(end, width)}`
}
