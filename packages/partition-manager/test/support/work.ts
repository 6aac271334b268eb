// biome-ignore-all lint/suspicious/noThenProperty: the policy's own word; never a function.
import type { FleetShard } from '@shardwright/core'
import { attachPartition, convertTable, definePartitions, maintain, type ProgressEvent } from '../../src/index.ts'
import { fleetOfUrls } from './fleet-of-urls.ts'

/** The jobs that the kill tests interrupt; the same in the test and in the process that is killed. */
export type WorkName =
  | 'create'
  | 'attach'
  | 'drop'
  | 'drop-with-default'
  | 'archive'
  | 'archive-to-schema'
  | 'repair'
  | 'take-back'
  | 'finalize'
  | 'mend-index'
  | 'convert'

export interface Work {
  readonly url: string
  readonly directory: string
  readonly onProgress: (event: ProgressEvent) => void
}

interface Database {
  events: { id: number; at: Date; note: string }
}

export async function doWork(name: WorkName, { url, directory, onProgress }: Work): Promise<void> {
  const fleet = fleetOfUrls([url])
  const options = { onProgress, lockTimeoutMs: 2000, parentLockWaitMs: 30_000, lockAttempts: 30, restMs: 0 }
  if (name === 'convert') {
    const policy = definePartitions<Database>()({ table: 'events', by: 'at', every: 'month', premake: 0 })
    await convertTable(fleet.shards[0] as FleetShard, policy, { ...options, batchRows: 900, swapRows: 1 })
    return
  }
  if (name === 'attach') {
    const policy = definePartitions<Database>()({ table: 'events', by: 'at', every: 'month' })
    const old = { table: 'events_old', from: '2020-01-01', to: '2020-02-01' }
    await attachPartition(fleet.shards[0] as FleetShard, policy, { ...options, ...old })
    return
  }
  const creates = name === 'create' || name === 'mend-index'
  const retention = retentionOf(name, directory)
  const policy = definePartitions<Database>()({
    table: 'events',
    by: 'at',
    every: 'month',
    premake: creates ? 2 : 0,
    fillGaps: false,
    ...(creates && { indexes: [{ name: 'events_note', columns: ['note'] }], analyzeEvery: '1 day' }),
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
  if (name === 'archive-to-schema') return { keep: '12 months', then: { archive: { schema: 'archive' } } }
  if (name !== 'drop' && name !== 'drop-with-default') return undefined
  return { keep: '12 months', then: 'drop' as const }
}
