import { formatBuckets } from './bucket-map.ts'
import { bucketsOfShard } from './buckets-of-shard.ts'
import type { Topology, TopologyShard } from './topology.ts'

/**
 * A topology in words, for people; without users and passwords. Pinned keys are counted, not shown.
 * @example
 * console.log(describeTopology(topology))
 * // topology 'default', epoch 1: 1024 buckets by postgres hash on 2 shards
 * //   eu-1  db1:5432/festival  512 buckets (0-511), 0 replicas, 0 pins
 * //   us-1  db2:5432/festival  512 buckets (512-1023), 1 replica (db3:5432/festival), 1 pin
 */
export function describeTopology(topology: Topology): string {
  const { id, epoch, buckets, hash, shards } = topology
  const head = `topology '${id}', epoch ${epoch}: ${count(buckets, 'bucket')} by ${hash} hash on ${count(shards.length, 'shard')}`
  return [head, ...shards.map((shard) => `  ${describeShard(topology, shard)}`)].join('\n')
}

function describeShard(topology: Topology, shard: TopologyShard): string {
  const buckets = bucketsOfShard(topology, shard.id)
  const pins = topology.pins.filter((pin) => pin.shard === shard.id).length
  const ranges = buckets.length > 0 ? ` (${formatBuckets(buckets)})` : ''
  const replicas = shard.replicas.length > 0 ? ` (${shard.replicas.map((server) => server.address).join(', ')})` : ''
  const pooler = shard.primary.pooler === 'direct' ? '' : ` behind ${shard.primary.pooler}`
  const parts = [
    `${count(buckets.length, 'bucket')}${ranges}`,
    `${count(shard.replicas.length, 'replica')}${replicas}`,
    count(pins, 'pin'),
  ]
  return `${shard.id}  ${shard.primary.address}${pooler}  ${parts.join(', ')}`
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`
}
