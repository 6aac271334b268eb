import { setTimeout as sleep } from 'node:timers/promises'
import type { FleetConnection } from '@shardwright/core'
import { formatBytes } from '../output/bytes.ts'
import { type RebalanceJob, readRebalance, readTransfers, type ShardTransfer } from './rebalance.ts'

const pollMs = 500

const ended: readonly RebalanceJob['state'][] = ['finished', 'cancelled', 'failed']

export interface WatchOptions {
  readonly signal: AbortSignal
  /** One line for each change. */
  readonly onProgress: (line: string) => void
}

/** Until the job has ended, or the signal; undefined when there is no job. The job goes on when nobody watches. */
export async function watchRebalance(
  connection: FleetConnection,
  { signal, onProgress }: WatchOptions,
): Promise<RebalanceJob | undefined> {
  let said = ''
  for (;;) {
    const job = await readRebalance(connection)
    if (!job || ended.includes(job.state)) return job
    const line = progressLine(job, await readTransfers(connection))
    if (line !== said) onProgress(line)
    said = line
    if (signal.aborted) return job
    await sleep(pollMs, undefined, { signal }).catch(() => undefined)
  }
}

/** `job 4 running: 3 of 12 moves done; wallets 102041 w1:5432 -> w2:5432 12 MB of 80 MB (Copying Data)`. */
export function progressLine(job: RebalanceJob, transfers: readonly ShardTransfer[]): string {
  const moving = transfers.map(
    ({ table, shardId, from, to, bytes, copiedBytes, status }) =>
      `${table} ${shardId} ${from} -> ${to} ${formatBytes(copiedBytes)} of ${formatBytes(bytes)}${status ? ` (${status})` : ''}`,
  )
  return [`job ${job.jobId} ${job.state}: ${movesDone(job)}`, ...moving].join('; ')
}

export function movesDone({ counts }: RebalanceJob): string {
  const total = Object.values(counts).reduce((sum, own) => sum + own, 0)
  return `${counts.done ?? 0} of ${total} moves done`
}
