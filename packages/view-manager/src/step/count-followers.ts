import type { FleetConnection } from '@shardwright/core'
import { pairsSql } from './follow-sql.ts'
import { sourceValues, stepTypes } from './source-values.ts'
import type { Step } from './step.ts'

const keysAtOnce = 1000

interface Pair {
  readonly key: string
  readonly value: string | null
  readonly rows: number
}

/** Compares every row with its source, wherever that is, some keys at a time. */
export async function countFollowersOutOfStep(connections: readonly FleetConnection[], step: Step): Promise<number> {
  const types = await stepTypes(connections[0] as FleetConnection, step)
  let outOfStep = 0
  for (const connection of connections) {
    for (let last: string | null = null; ; ) {
      const pairs: Pair[] = (await connection.query<Pair>(pairsSql(step, types.key), [last, keysAtOnce])).rows
      const end = pairs.at(-1)
      if (!end) break
      const values = await sourceValues(connections, step, types, [...new Set(pairs.map(({ key }) => key))])
      for (const { key, value, rows } of pairs) if ((values.get(key) ?? null) !== value) outOfStep += rows
      last = end.key
    }
  }
  return outOfStep
}
