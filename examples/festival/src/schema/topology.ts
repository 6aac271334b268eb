import { defineTopology, type PinInput, type Topology } from '@shardwright/core'
import type { Festival } from '../data/festivals.ts'

/** The shards in the order of the servers. */
export const shardIds = Object.freeze(['eu-1', 'eu-2', 'us-1', 'us-2'] as const)

const shardsOfRegion = { europe: ['eu-1', 'eu-2'], america: ['us-1', 'us-2'] } as const

/** European and American festivals are pinned to the shards of their region, in turn; the others are hashed over all. */
export function festivalTopology(urls: readonly string[], festivals: readonly Festival[]): Topology {
  return defineTopology({
    id: 'festival',
    hash: 'postgres',
    shards: shardIds.map((id, index) => ({ id, primary: urls[index] ?? '' })),
    pins: pinsOf(festivals),
  })
}

function pinsOf(festivals: readonly Festival[]): PinInput[] {
  const turn = { europe: 0, america: 0 }
  const pins: PinInput[] = []
  for (const { id, region } of festivals) {
    if (region === 'asia') continue
    const shards = shardsOfRegion[region]
    pins.push({ family: 'festival_id', key: id, shard: shards[turn[region]++ % shards.length] ?? shards[0] })
  }
  return pins
}
