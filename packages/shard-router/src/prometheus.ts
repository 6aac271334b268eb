import { ConfigurationError, type Telemetry, type TelemetryAttributes, type TelemetrySpan } from '@shardwright/core'
import { Series } from './pool/prometheus-series.ts'

/** The part of prom-client's Registry that is used: it is given a PrometheusMetric, which prom-client's types do not know. */
export interface PrometheusRegistry {
  registerMetric(metric: never): void
}

/** What prom-client's Registry uses of a metric. */
export interface PrometheusMetric {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly aggregator: string
  get(): Promise<PrometheusMetricValues>
  reset(): void
}

/** The values of a metric as prom-client reads them. */
export interface PrometheusMetricValues {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly aggregator: string
  readonly values: readonly {
    readonly value: number
    readonly labels: Readonly<Record<string, string | number>>
    readonly metricName?: string
  }[]
}

/** The registry of the process, and how fine histograms are. */
export interface PrometheusOptions {
  /** prom-client's `register`, or one of your own. */
  readonly registry: PrometheusRegistry
  /**
   * Upper bounds of the histograms, in milliseconds for durations. Default: 0.25 doubling up to 16,384. Where several
   * telemetries write to one registry, those of the first count.
   */
  readonly buckets?: readonly number[] | undefined
  /**
   * False: statements have no `shape`, those of one kind and first table share a series. Default: true; each shape has a
   * histogram for each shard, role and lane that it was on. Of several telemetries of one registry that of the first counts.
   */
  readonly shapes?: boolean | undefined
  readonly log?: Telemetry['log'] | undefined
}

const defaultBuckets = Array.from({ length: 17 }, (_, power) => 0.25 * 2 ** power)
const droppedSpan: TelemetrySpan = Object.freeze({ end() {} })

/** A registry takes each name once: all telemetries of one registry write to the same series. */
const seriesOfRegistry = new WeakMap<PrometheusRegistry, Map<string, Series>>()

/**
 * Shardwright's telemetry for prom-client. It keeps the numbers itself, by the identity of the attributes, and shows them
 * when the registry is scraped: prom-client's own histograms hash the labels at every value. Histograms of several
 * processes can be added up. Names are Prometheus' own: `shardwright.pool.statement_ms` is
 * `shardwright_pool_statement_seconds`, a counter ends in `_total`.
 * @throws ConfigurationError INVALID_OPTIONS
 * @example
 * createShardRouter({ schema, topology, telemetry: prometheus({ registry: client.register }) })
 */
export function prometheus({ registry, buckets = defaultBuckets, shapes = true, log }: PrometheusOptions): Telemetry {
  if (typeof registry?.registerMetric !== 'function') {
    throw new ConfigurationError({
      code: 'INVALID_OPTIONS',
      message: 'prometheus() needs the registry that its metrics are shown in.',
      hint: "Pass prom-client's: prometheus({ registry: client.register }).",
    })
  }
  const series = seriesOfRegistry.get(registry) ?? new Map<string, Series>()
  seriesOfRegistry.set(registry, series)
  // A registry may have been cleared meanwhile.
  for (const known of series.values()) registry.registerMetric(known as never)
  const seriesOf = (name: string, type: 'counter' | 'gauge' | 'histogram'): Series => {
    const known = series.get(name)
    if (known !== undefined) return known
    const made = new Series(name, type, buckets, shapes)
    series.set(name, made)
    registry.registerMetric(made as never)
    return made
  }
  return Object.freeze({
    count: (name, value, attributes = none) => seriesOf(name, 'counter').add(value, attributes),
    record: (name, value, attributes = none) => seriesOf(name, 'histogram').observe(value, attributes),
    gauge: (name, value, attributes = none) => seriesOf(name, 'gauge').set(value, attributes),
    span: () => droppedSpan,
    log: (level, message, attributes) => log?.(level, message, attributes),
  } satisfies Telemetry)
}

const none: TelemetryAttributes = Object.freeze({})
