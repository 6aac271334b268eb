import { identifier, literal, qualified } from '../sql/quote.ts'
import type { Rollup } from './rollup.ts'

/** The bucket of a timestamptz expression. */
export function bucketSql(rollup: Rollup, time: string): string {
  return `date_trunc(${literal(rollup.bucket)}, ${time}, ${literal(rollup.zone)})`
}

/** Where the bucket after `bucket` begins: at another hour than `bucket` where the clocks skip or repeat midnight. */
export function nextBucketSql(rollup: Rollup, bucket: string): string {
  const step = `interval ${literal(`1 ${rollup.bucket}`)}`
  // Hours are as long as hours, whatever the clocks do.
  if (rollup.bucket === 'hour') return `${bucket} + ${step}`
  const zone = literal(rollup.zone)
  return bucketSql(rollup, `(((${bucket}) at time zone ${zone}) + ${step}) at time zone ${zone}`)
}

/**
 * The rows of the buckets from `lo` to `hi`. The time is compared with constants too, so that the planner leaves out the other
 * partitions; with room, because a row can lie outside its bucket's own hours where the clocks go back over its start.
 */
export function bucketsSql(rollup: Rollup, range: { readonly lo: string; readonly hi: string }): string {
  const time = identifier(rollup.time)
  const [lo, hi] = [`${literal(range.lo)}::timestamptz`, `${literal(range.hi)}::timestamptz`]
  const bucket = bucketSql(rollup, time)
  return `${time} >= ${lo} - interval '3 hours' and ${time} < ${hi} + interval '3 hours' and ${bucket} >= ${lo} and ${bucket} < ${hi}`
}

/** SELECT bucket, keys, measures FROM source WHERE `where` GROUP BY bucket, keys. */
export function summarySql(rollup: Rollup, where: string): string {
  const bucket = bucketSql(rollup, identifier(rollup.time))
  const keys = rollup.keys.map(identifier)
  const measures = rollup.measures.map(({ function: fn, column, name }) => {
    return `${fn}(${column === undefined ? '*' : identifier(column)}) as ${identifier(name)}`
  })
  const groups = [bucket, ...keys].join(', ')
  return `select ${[`${bucket} as bucket`, ...keys, ...measures].join(', ')} from ${sourceOf(rollup)} where ${where} group by ${groups}`
}

export function sourceOf(rollup: Rollup): string {
  return qualified(rollup.schema, rollup.source)
}

export function tableOf(rollup: Rollup): string {
  return qualified(rollup.schema, rollup.name)
}
