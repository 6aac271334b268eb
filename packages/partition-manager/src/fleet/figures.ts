import type { Telemetry } from '@shardwright/core'
import { lastPosition, positionText } from '../calendar/position.ts'
import type { CatalogState } from '../inspect/catalog-state.ts'
import { keyNow } from '../plan/wanted.ts'
import type { PartitionPolicy } from '../policy/policy.ts'
import type { TableFigures } from './report.ts'

/** What is worth watching about one table. */
export function figuresOf(state: CatalogState, policy: PartitionPolicy): TableFigures {
  const now = keyNow(policy, state.serverTime)
  const oldest = state.partitions[0]
  const edge = oldest?.lower ?? oldest?.upper
  return Object.freeze({
    partitions: state.partitions.length,
    ahead: state.partitions.filter(
      (partition) => partition.lower !== undefined && partition.lower > now && partition.lower !== lastPosition,
    ).length,
    oldest: edge === undefined ? undefined : positionText(edge),
    defaultRows: Number(state.defaultPartition?.rows ?? 0n),
    bytes: state.partitions.reduce((sum, partition) => sum + partition.bytes, 0n),
  })
}

export function measure(telemetry: Telemetry, state: CatalogState, policy: PartitionPolicy): void {
  const figures = figuresOf(state, policy)
  const attributes = { shard: state.shard, table: `${policy.schema}.${policy.table}` }
  telemetry.gauge('shardwright.partitions.count', figures.partitions, attributes)
  telemetry.gauge('shardwright.partitions.ahead', figures.ahead, attributes)
  telemetry.gauge('shardwright.partitions.default_rows', figures.defaultRows, attributes)
  telemetry.gauge('shardwright.partitions.bytes', Number(figures.bytes), attributes)
  const oldest = state.partitions[0]?.lower
  if (oldest === undefined) return
  const ageSeconds = Number((keyNow(policy, state.serverTime) - oldest) / 1_000_000n)
  telemetry.gauge('shardwright.partitions.oldest_kept_seconds', ageSeconds, attributes)
}
