import { type Clock, noTelemetry, systemClock, type Telemetry } from '@shardwright/core'
import { z } from 'zod'
import type { Sample } from '../collect/sample.ts'
import { parseOptions } from '../errors/parse-options.ts'
import type { Histogram } from '../histogram/histogram.ts'
import type { Source } from '../source/source.ts'
import { CounterSet } from './counter-set.ts'
import { type SeriesFilter, SeriesSet } from './series-set.ts'
import { Windows } from './windows.ts'

export interface CallerTelemetryOptions {
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

/** A statement that asked several shards for want of a shard key. */
export interface Scatter {
  /** E.g. `SELECT wallets`. */
  readonly statement: string
  readonly calls: number
  /** Shards asked on average. */
  readonly shards: number
}

/** What statements were like for their callers in this process, over the last minutes. */
export interface CallerTelemetry extends Telemetry, Source {
  /** All latencies that fit, in milliseconds, merged: a percentile over shards is a percentile, not an average. */
  latency(filter?: SeriesFilter): Histogram
  /** The pairs of shard and statement that were seen. */
  series(): readonly { readonly shard: string; readonly statement: string }[]
  /** Statements that scatter, the most frequent first. */
  scatters(): readonly Scatter[]
}

const shape = z.strictObject({
  next: z.custom<Telemetry>().default(noTelemetry),
  windowMs: z.number().positive().default(10_000),
  windows: z.int().positive().default(30),
  maxSeries: z.int().positive().default(1_000),
  clock: z.custom<Clock>().default(systemClock),
})

/**
 * A telemetry that keeps rates, latencies and errors of the last minutes in memory, in windows that rotate, and passes all on.
 * @throws MonitorError MONITOR_INVALID_OPTIONS
 * @example
 * const telemetry = callerTelemetry({ next: prometheus({ registry }) })
 * const router = createShardRouter({ schema, topology, telemetry })
 * const monitor = createMonitor({ fleet: router.fleet, sources: [telemetry] })
 * telemetry.latency({ shard: 's1' }).percentile(0.95)
 */
export function callerTelemetry(options: CallerTelemetryOptions = {}): CallerTelemetry {
  const { next, maxSeries, ...rest } = parseOptions('The telemetry', shape, options)
  const windows = new Windows(rest)
  const latencies = new SeriesSet(windows, maxSeries)
  const scattered = new SeriesSet(windows, maxSeries)
  const errors = new CounterSet(windows)
  const hits = new CounterSet(windows)
  const misses = new CounterSet(windows)
  const counters: Readonly<Record<string, { readonly set: CounterSet; readonly label: string }>> = {
    'shardwright.pool.errors': { set: errors, label: 'shard' },
    'shardwright.cache.hits': { set: hits, label: 'name' },
    'shardwright.cache.misses': { set: misses, label: 'name' },
  }
  const series: Readonly<Record<string, SeriesSet>> = {
    'shardwright.pool.statement_ms': latencies,
    'shardwright.router.scatter_shards': scattered,
  }

  function ofShard(shard: string): Sample[] {
    const labels = { shard }
    const latency = latencies.merged(labels)
    const rate = windows.perSecond(latency.size)
    return [
      { metric: 'statements_per_second', labels, value: rate },
      { metric: 'latency_p50_ms', labels, value: latency.percentile(0.5) },
      { metric: 'latency_p95_ms', labels, value: latency.percentile(0.95) },
      { metric: 'latency_p99_ms', labels, value: latency.percentile(0.99) },
      // Without a statement there is no ratio, neither good nor bad.
      { metric: 'errors_ratio', labels, value: latency.size > 0 ? errors.total(shard) / latency.size : undefined },
    ]
  }

  function ofCache(name: string): Sample {
    const found = hits.total(name)
    const asked = found + misses.total(name)
    return { metric: 'own_cache_hit_ratio', labels: { cache: name }, value: asked > 0 ? found / asked : undefined }
  }

  return Object.freeze<CallerTelemetry>({
    name: 'caller',
    count(name, value, attributes) {
      const counter = counters[name]
      if (counter) counter.set.add(String(attributes?.[counter.label] ?? ''), value)
      next.count(name, value, attributes)
    },
    record(name, value, attributes) {
      if (attributes) series[name]?.record(value, attributes)
      next.record(name, value, attributes)
    },
    gauge: (name, value, attributes) => next.gauge(name, value, attributes),
    span: (name, attributes) => next.span(name, attributes),
    scope: next.scope && ((name, attributes) => next.scope!(name, attributes)),
    log: (level, message, attributes) => next.log(level, message, attributes),
    latency: (filter) => latencies.merged(filter),
    series: () => latencies.pairs(),
    scatters: () =>
      scattered
        .pairs()
        .map(({ statement }) => {
          const asked = scattered.merged({ statement })
          return { statement, calls: asked.size, shards: asked.size === 0 ? 0 : asked.sum / asked.size }
        })
        .filter(({ calls }) => calls > 0)
        .toSorted((a, b) => b.calls - a.calls),
    read: () => [
      ...[...new Set(latencies.pairs().map(({ shard }) => shard))].flatMap(ofShard),
      ...[...new Set([...hits.labels(), ...misses.labels()])].map(ofCache),
      {
        metric: 'scatters_per_second',
        labels: {},
        value: windows.perSecond(scattered.merged().size),
      },
    ],
  })
}
