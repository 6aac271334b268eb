import type { Scatter } from '../../telemetry/caller-telemetry.ts'
import type { Advice } from '../advice.ts'

/** Fewer are a report that somebody runs. */
const fewestCalls = 100
const listed = 5

/** Statements that ask every shard again and again: what `callerTelemetry().scatters()` tells; pure. */
export function scatterAdvice(scatters: readonly Scatter[]): readonly Advice[] {
  return scatters
    .filter(({ calls }) => calls >= fewestCalls)
    .slice(0, listed)
    .map(({ statement, calls, shards }) =>
      Object.freeze<Advice>({
        topic: 'scatters',
        severity: 'warning',
        shards: [],
        object: statement,
        message: `${statement} went to ${round(shards)} shards, ${calls} times lately: it names no shard key`,
        remedy:
          'Put the shard key into its WHERE, read a lookup table first, or keep the answer in a view or the cache.',
      }),
    )
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
