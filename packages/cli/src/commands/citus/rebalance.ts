import type { FleetConnection } from '@shardwright/core'
import { onCoordinator } from '../../citus/coordinator.ts'
import { requireNode } from '../../citus/nodes.ts'
import {
  planRebalance,
  type RebalanceJob,
  type RebalanceOptions,
  readRebalance,
  readTransfers,
  startRebalance,
  stopRebalance,
  type TransferMode,
} from '../../citus/rebalance.ts'
import { movesDone, progressLine, watchRebalance } from '../../citus/watch-rebalance.ts'
import { formatBytes } from '../../output/bytes.ts'
import { exitCode } from '../../output/exit-code.ts'
import { renderTable } from '../../output/table.ts'
import { wrap } from '../../output/wrap.ts'
import type { Command, CommandContext, CommandResult } from '../../run/command.ts'
import { setShouldHaveShards } from './nodes.ts'

export interface RebalanceCommandOptions {
  readonly strategy?: string
  readonly drainOnly?: boolean
  readonly mode?: TransferMode
  readonly watch?: boolean
}

/** Which shards a rebalance would move; moves none. */
export const rebalancePlan: Command<RebalanceCommandOptions> = (context, options) =>
  onCoordinator(context, async ({ connection }) => {
    const moves = await planRebalance(connection, options)
    return {
      data: moves,
      exitCode: moves.length > 0 ? exitCode.found : exitCode.ok,
      render: (width) =>
        moves.length === 0
          ? 'Nothing to move.'
          : renderTable(
              moves,
              [
                { title: 'table', of: (move) => move.table, shrinks: true },
                { title: 'shard', of: (move) => move.shardId, align: 'right' },
                { title: 'size', of: (move) => formatBytes(move.bytes), align: 'right' },
                { title: 'from', of: (move) => move.from, shrinks: true },
                { title: 'to', of: (move) => move.to, shrinks: true },
              ],
              width,
            ),
    }
  })

/** Starts it in the background of the coordinator. */
export const rebalanceStart: Command<RebalanceCommandOptions> = (context, options) =>
  onCoordinator(context, async ({ connection }) => {
    await context.confirm(
      'Move shards between the nodes? Reads and writes go on; a moved shard takes none for a moment.',
    )
    return await startAndWatch(context, connection, options, options.watch === true)
  })

/** Moves everything away from a node, which gets no new shards either; then it can be removed. */
export const nodesDrain: Command<{ readonly node: string; readonly mode?: TransferMode; readonly watch?: boolean }> = (
  context,
  { node, mode, watch },
) =>
  onCoordinator(context, async ({ connection }) => {
    const found = await requireNode(connection, node)
    await context.confirm(`Move all ${found.shards} shards away from ${node}?`)
    await setShouldHaveShards(connection, found, false)
    return await startAndWatch(context, connection, { mode, drainOnly: true }, watch === true)
  })

export const rebalanceStatus: Command = (context) =>
  onCoordinator(context, async ({ connection }) => {
    const job = await readRebalance(connection)
    const transfers = await readTransfers(connection)
    return {
      data: { job: job ?? null, transfers },
      exitCode: codeOf(job),
      render: (width) => (job ? wrap(progressLine(job, transfers), width, '  ') : 'There has been no rebalance.'),
    }
  })

export const rebalanceWatch: Command = (context) =>
  onCoordinator(context, ({ connection }) => watched(context, connection))

export const rebalanceStop: Command = (context) =>
  onCoordinator(context, async ({ connection }) => {
    await stopRebalance(connection)
    const job = await readRebalance(connection)
    return {
      data: { job: job ?? null },
      render: () => `Stopped${job ? `: ${movesDone(job)}` : ''}. A shard whose move was cut stays where it was.`,
    }
  })

async function startAndWatch(
  context: CommandContext,
  connection: FleetConnection,
  options: RebalanceOptions,
  watch: boolean,
): Promise<CommandResult> {
  const jobId = await startRebalance(connection, options)
  if (jobId === undefined) return { data: { job: null }, render: () => 'Nothing to move.' }
  if (watch) return await watched(context, connection)
  return {
    data: { job: await readRebalance(connection) },
    render: () => `Job ${jobId} runs in the background; \`shardwright citus rebalance watch\` follows it.`,
  }
}

async function watched(context: CommandContext, connection: FleetConnection): Promise<CommandResult> {
  const job = await watchRebalance(connection, {
    signal: context.signal,
    onProgress: (line) => showProgress(context, line),
  })
  context.screen.draw?.([])
  return {
    data: { job: job ?? null },
    exitCode: codeOf(job),
    render: (width) => (job ? wrap(ending(job), width, '  ') : 'There has been no rebalance.'),
  }
}

/** Drawn in place in a terminal, a line for each change elsewhere. */
function showProgress({ global, screen }: CommandContext, line: string): void {
  if (global.json) return
  if (screen.draw) screen.draw(line.split('; '))
  else screen.note(line)
}

function ending(job: RebalanceJob): string {
  const failures = job.tasks.flatMap(({ command, message }) => (message ? [`${command}: ${message}`] : []))
  return [`Job ${job.jobId} is ${job.state}: ${movesDone(job)}.`, ...failures].join('\n')
}

function codeOf(job: RebalanceJob | undefined): number {
  if (job?.state === 'failed' || job?.state === 'failing') return exitCode.error
  return job?.state === 'cancelled' || job?.state === 'cancelling' ? exitCode.found : exitCode.ok
}
