import { type Clock, noTelemetry, systemClock, type Telemetry, type TelemetryAttributes } from '@shardwright/core'
import { z } from 'zod'
import { parseOptions } from '../errors/parse-options.ts'
import { Histogram } from '../histogram/histogram.ts'
import { RotatingHistogram } from '../histogram/rotating-histogram.ts'

export interface LatencyTelemetryOptions {
  /** Where everything goes on to. Default: nowhere. */
  readonly next?: Telemetry | undefined
  /** Default: 10000. */
  readonly windowMs?: number | undefined
  /** How many windows are kept. Default: 30. */
  readonly windows?: number | undefined
  /** So many pairs of shard and statement; those that come later are counted under the statement `other`. Default: 1000. */
  readonly maxSeries?: number | undefined
  readonly clock?: Clock | undefined
}

/** Which statements are asked for; all when nothing is given. */
export interface LatencyFilter {
  readonly shard?: string | undefined
  readonly statement?: string | undefined
}

/** A telemetry that also keeps the latencies of the last minutes. */
export interface LatencyTelemetry extends Telemetry {
  /** All latencies that fit, in milliseconds, merged: a percentile over shards is a percentile, not an average. */
  latency(filter?: LatencyFilter): Histogram
  /** The pairs of shard and statement that were seen. */
  series(): readonly { readonly shard: string; readonly statement: string }[]
}

interface Kept {
  readonly shard: string
  readonly statement: string
  readonly histogram: RotatingHistogram
}

const shape = z.strictObject({
  next: z.custom<Telemetry>().default(noTelemetry),
  windowMs: z.number().positive().default(10_000),
  windows: z.int().positive().default(30),
  maxSeries: z.int().positive().default(1_000),
  clock: z.custom<Clock>().default(systemClock),
})

/**
 * Keeps the latency of statements per shard and statement in memory, in windows that rotate.
 * @throws MonitorError MONITOR_INVALID_OPTIONS
 * @example
 * const telemetry = latencyTelemetry({ next: prometheus({ registry }) })
 * const router = createShardRouter({ schema, topology, telemetry })
 * telemetry.latency({ shard: 's1' }).percentile(0.95)
 */
export function latencyTelemetry(options: LatencyTelemetryOptions = {}): LatencyTelemetry {
  const { next, windowMs, windows, maxSeries, clock } = parseOptions('The telemetry', shape, options)
  const all = new Map<string, Kept>()
  // The router passes the same frozen attributes for the same series.
  const byIdentity = new WeakMap<TelemetryAttributes, Kept>()

  function keptOf(attributes: TelemetryAttributes): Kept {
    const known = byIdentity.get(attributes)
    if (known) return known
    const shard = String(attributes.shard ?? '')
    let statement = String(attributes.statement ?? '')
    let key = JSON.stringify([shard, statement])
    if (!all.has(key) && all.size >= maxSeries) {
      statement = 'other'
      key = JSON.stringify([shard, statement])
    }
    const kept = all.get(key) ?? { shard, statement, histogram: new RotatingHistogram({ windowMs, windows }) }
    all.set(key, kept)
    byIdentity.set(attributes, kept)
    return kept
  }

  return Object.freeze<LatencyTelemetry>({
    count: (name, value, attributes) => next.count(name, value, attributes),
    record(name, value, attributes) {
      if (name === 'shardwright.pool.statement_ms' && attributes) {
        keptOf(attributes).histogram.record(value, clock.monotonicMs())
      }
      next.record(name, value, attributes)
    },
    gauge: (name, value, attributes) => next.gauge(name, value, attributes),
    span: (name, attributes) => next.span(name, attributes),
    log: (level, message, attributes) => next.log(level, message, attributes),
    latency({ shard, statement } = {}) {
      const merged = new Histogram()
      for (const kept of all.values()) {
        if (shard !== undefined && kept.shard !== shard) continue
        if (statement !== undefined && kept.statement !== statement) continue
        kept.histogram.mergeInto(merged, clock.monotonicMs())
      }
      return merged
    },
    series: () => [...all.values()].map(({ shard, statement }) => ({ shard, statement })),
  })
}
