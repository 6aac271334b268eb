import { TopologyError } from '../errors/topology-error.ts'
import type { BucketRange } from './topology-input.ts'
import type { TopologyFields } from './topology-shape.ts'

type ShardIndexes = ReadonlyMap<string, number>

/** Bucket number to shard index, every bucket exactly once. Default: even contiguous ranges in the order of the shards. */
export function resolveBucketMap(
  input: TopologyFields['bucketMap'],
  buckets: number,
  indexes: ShardIndexes,
): readonly number[] {
  if (input === undefined) {
    return Object.freeze(Array.from({ length: buckets }, (_, bucket) => Math.floor((bucket * indexes.size) / buckets)))
  }
  return Object.freeze(fillBuckets(toRanges(input), buckets, indexes))
}

function toRanges(input: readonly string[] | readonly BucketRange[]): readonly BucketRange[] {
  return input.map((item, bucket) => (typeof item === 'string' ? { from: bucket, to: bucket, shard: item } : item))
}

function fillBuckets(ranges: readonly BucketRange[], buckets: number, indexes: ShardIndexes): number[] {
  const map = new Array<number>(buckets).fill(-1)
  for (const range of ranges) {
    const shard = shardIndex(range.shard, indexes)
    checkRange(range, buckets)
    for (let bucket = range.from; bucket <= range.to; bucket++) {
      if (map[bucket] !== -1) throw duplicateBucket(bucket, range)
      map[bucket] = shard
    }
  }
  refuseHoles(map)
  return map
}

function shardIndex(shard: string, indexes: ShardIndexes): number {
  const index = indexes.get(shard)
  if (index !== undefined) return index
  throw new TopologyError({
    code: 'UNKNOWN_SHARD',
    message: `The bucket map names shard '${shard}', which the topology does not have.`,
    hint: `The shards are: ${[...indexes.keys()].join(', ')}.`,
    details: { shard },
  })
}

function checkRange({ from, to, shard }: BucketRange, buckets: number): void {
  if (from < 0 || to >= buckets) {
    throw new TopologyError({
      code: 'BUCKET_OUT_OF_RANGE',
      message: `The bucket map gives buckets ${from} to ${to} to shard '${shard}', but there are only ${buckets}.`,
      hint: `Buckets go from 0 to ${buckets - 1}, and 'to' is included.`,
      details: { from, to, shard, buckets },
    })
  }
  if (from > to) {
    throw new TopologyError({
      code: 'INVALID_TOPOLOGY',
      message: `The bucket map has a range from ${from} to ${to} for shard '${shard}', which ends before it begins.`,
      hint: "Write { from, to, shard } with 'to' included and not below 'from'.",
      details: { from, to, shard },
    })
  }
}

function duplicateBucket(bucket: number, range: BucketRange): TopologyError {
  return new TopologyError({
    code: 'DUPLICATE_BUCKET',
    message: `The bucket map gives bucket ${bucket} twice, the second time to shard '${range.shard}'.`,
    hint: "Let the ranges not overlap; 'to' is included.",
    details: { bucket, shard: range.shard },
  })
}

function refuseHoles(map: readonly number[]): void {
  const holes = map.flatMap((shard, bucket) => (shard === -1 ? [bucket] : []))
  if (holes.length === 0) return
  const shown = formatBuckets(holes)
  throw new TopologyError({
    code: 'BUCKET_WITHOUT_SHARD',
    message: `The bucket map leaves ${holes.length} of ${map.length} buckets without a shard: ${shown}.`,
    hint: `Cover every bucket from 0 to ${map.length - 1}.`,
    details: { buckets: holes },
  })
}

/** Groups ascending bucket numbers into closed ranges. */
export function bucketRanges(buckets: readonly number[]): readonly { readonly from: number; readonly to: number }[] {
  const ranges: { from: number; to: number }[] = []
  for (const bucket of buckets) {
    const last = ranges.at(-1)
    if (last && last.to === bucket - 1) last.to = bucket
    else ranges.push({ from: bucket, to: bucket })
  }
  return ranges
}

/** `0-15, 32, 40-47` */
export function formatBuckets(buckets: readonly number[]): string {
  return bucketRanges(buckets)
    .map(({ from, to }) => (from === to ? String(from) : `${from}-${to}`))
    .join(', ')
}
