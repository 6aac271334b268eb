import type { LocalCluster, LocalShard } from '@shardwright/local-cluster'
import type { Fronts } from './fronts.ts'

export type DisturbanceKind =
  | 'kill'
  | 'pause'
  | 'restart'
  | 'kill replica'
  | 'pause replica'
  | 'kill front'
  | 'pause front'
  | 'promote'

export const disturbanceKinds: readonly DisturbanceKind[] = [
  'kill',
  'pause',
  'restart',
  'kill replica',
  'pause replica',
]
/** For shards that something stands in front of. */
export const frontKinds: readonly DisturbanceKind[] = ['kill front', 'pause front']

/** Disturbs one shard for a while and heals it. Gives the URL of its primary afterwards. */
export async function disturb(
  cluster: LocalCluster,
  fronts: Fronts,
  shardId: string,
  kind: DisturbanceKind,
  forMs: number,
): Promise<void> {
  const shard = cluster.shard(shardId)
  const replica = shard.replicas[0]
  const target = (kind.endsWith('replica') ? replica : kind.endsWith('front') ? fronts.of(shardId) : undefined) ?? shard
  switch (kind) {
    case 'kill':
    case 'kill replica':
    case 'kill front':
      await target.kill()
      await pause(forMs)
      return await target.start()
    case 'pause':
    case 'pause replica':
    case 'pause front':
      await target.pause()
      await pause(forMs)
      return await target.resume()
    case 'restart':
      return await target.restart({ mode: 'fast' })
    case 'promote':
      return await promote(shard)
  }
}

// A fast stop hands all of the log to the replica first: no acknowledged write is left behind. The old primary stays down.
async function promote(shard: LocalShard): Promise<void> {
  const replica = shard.replicas[0]
  if (replica === undefined) throw new Error(`${shard.id} has no replica to promote`)
  await replica.caughtUp()
  await shard.stop({ mode: 'fast' })
  await replica.promote()
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
