// biome-ignore-all lint/suspicious/noThenProperty: the policy's own word; never a function.
import type { FleetShard } from '@shardwright/core'
import { convertTable, definePartitions, maintain, type ProgressEvent } from '../../src/index.ts'
import { fleetOfUrls } from './fleet-of-urls.ts'

/** The jobs that the kill tests interrupt; the same in the test and in the process that is killed. */
export type WorkName = 'drop' | 'drop-with-default' | 'archive' | 'repair' | 'convert'

export interface Work {
  readonly url: string
  readonly directory: string
  readonly onProgress: (event: ProgressEvent) => void
}

interface Database {
  events: { id: number; at: Date }
}

export async function doWork(name: WorkName, { url, directory, onProgress }: Work): Promise<void> {
  const fleet = fleetOfUrls([url])
  const options = { onProgress, lockTimeoutMs: 2000, parentLockWaitMs: 30_000, lockAttempts: 30 }
  if (name === 'convert') {
    const policy = definePartitions<Database>()({ table: 'events', by: 'at', every: 'month', premake: 0 })
    await convertTable(fleet.shards[0] as FleetShard, policy, { ...options, batchRows: 900, swapRows: 1 })
    return
  }
  const retention = retentionOf(name, directory)
  const policy = definePartitions<Database>()({
    table: 'events',
    by: 'at',
    every: 'month',
    premake: 0,
    fillGaps: false,
    ...(retention ? { retention } : {}),
    defaultRows: 'repair',
    repairBatchRows: 250,
  })
  const report = await maintain(fleet, [policy], options)
  if (report.exitCode !== 0)
    throw new Error(JSON.stringify(report, (_, value) => (typeof value === 'bigint' ? `${value}` : value)))
}

function retentionOf(name: WorkName, directory: string) {
  if (name === 'archive') return { keep: '12 months', then: { archive: { directory } } }
  if (name === 'repair') return undefined
  return { keep: '12 months', then: 'drop' as const }
}
