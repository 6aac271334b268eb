import { identifier, literal, qualified } from '../sql/quote.ts'
import type { Rollup } from './rollup.ts'

/** The bucket of a timestamptz expression. */
export function bucketSql(rollup: Rollup, time: string): string {
  return `date_trunc(${literal(rollup.bucket)}, ${time}, ${literal(rollup.zone)})`
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
