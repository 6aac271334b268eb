import type { Fronts } from './fronts.ts'
import type { Pairs } from './pairs.ts'

export type DisturbanceKind =
  | 'kill'
  | 'pause'
  | 'restart'
  | 'promote'
  | 'kill replica'
  | 'pause replica'
  | 'replace topology'
  | 'kill front'
  | 'pause front'

export const disturbanceKinds: readonly DisturbanceKind[] = [
  'kill',
  'pause',
  'restart',
  'kill replica',
  'pause replica',
  'promote',
  'replace topology',
]
/** For shards that something stands in front of. */
export const frontKinds: readonly DisturbanceKind[] = ['kill front', 'pause front']

export interface Disturbed {
  readonly pairs: Pairs
  readonly fronts: Fronts
  /** Routes by a topology without the shard's replica. */
  readonly withoutReplica: (shard: string) => Promise<void>
  /** By the one with it again. */
  readonly withReplica: () => Promise<void>
}

/** Disturbs one shard for a while and heals it. */
export async function disturb(
  { pairs, fronts, withoutReplica, withReplica }: Disturbed,
  shard: string,
  kind: DisturbanceKind,
  forMs: number,
): Promise<void> {
  const { primary, standby } = pairs.of(shard)
  const target = (kind.endsWith('replica') ? standby : kind.endsWith('front') ? fronts.of(shard) : undefined) ?? primary
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
      return await pairs.promote(shard)
    case 'replace topology':
      await withoutReplica(shard)
      await pause(forMs)
      return await withReplica()
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
