import type { ColocationGroup } from '@shardwright/core'
import type { ShardPlace } from '../../execute/route.ts'
import type { ClusterMap } from './cluster-map.ts'

/** Statements that were sent past the coordinator since the metadata was last known to be right, by shard. */
export class DirectCounts {
  readonly #counts = new Map<ColocationGroup, Uint32Array>()

  add({ group, ordinal }: ShardPlace): void {
    let counts = this.#counts.get(group)
    if (counts === undefined) {
      counts = new Uint32Array(group.shards.length)
      this.#counts.set(group, counts)
    }
    counts[ordinal] = (counts[ordinal] as number) + 1
  }

  /** The metadata is still the same. */
  clear(): void {
    this.#counts.clear()
  }

  /** How many of them went, at most, to a node that the shard had left; whatever was sent before the change is counted too. */
  takeMisrouted(before: ClusterMap, after: ClusterMap): number {
    let misrouted = 0
    for (const [group, counts] of this.#counts) {
      const next = after.metadata.groups.get(group.colocationId)
      counts.forEach((count, ordinal) => {
        if (count > 0 && idOf(before, { group, ordinal }) !== idOf(after, placeIn(next, group, ordinal)))
          misrouted += count
      })
    }
    this.clear()
    return misrouted
  }
}

/** The place, in a later reading, of the hashes from where a shard began; splits make more shards of one. */
function placeIn(next: ColocationGroup | undefined, group: ColocationGroup, ordinal: number): ShardPlace | undefined {
  const min = group.shards[ordinal]?.min
  const found = next?.shards.findIndex((shard) => shard.min === min) ?? -1
  return next === undefined || found < 0 ? undefined : { group: next, ordinal: found }
}

function idOf(map: ClusterMap, place: ShardPlace | undefined): string | undefined {
  const server = place && map.serverOf(place)
  return server === undefined ? undefined : map.servers.shards[server]?.id
}
