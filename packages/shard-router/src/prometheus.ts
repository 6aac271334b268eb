import type { Telemetry, TelemetryAttributes, TelemetrySpan } from '@shardwright/core'
import { Series } from './pool/prometheus-series.ts'

/** The part of prom-client's Registry that is used. */
export interface PrometheusRegistry {
  registerMetric(metric: PrometheusMetric): void
}

/** A metric as prom-client's Registry asks for it. */
export interface PrometheusMetric {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly aggregator: string
  get(): Promise<PrometheusMetricValues>
  reset(): void
}

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

export interface PrometheusOptions {
  /** prom-client's `register`, or one of your own. */
  readonly registry: PrometheusRegistry
  /** Upper bounds of the histograms, in the unit of the name. Default: 0.25 ms doubling up to 16 s. */
  readonly buckets?: readonly number[] | undefined
  readonly log?: Telemetry['log'] | undefined
}

const defaultBuckets = Array.from({ length: 17 }, (_, power) => 0.25 * 2 ** power)
const droppedSpan: TelemetrySpan = Object.freeze({ end() {} })

/**
 * Shardwright's telemetry for prom-client. It keeps the numbers itself, by the identity of the attributes, and shows them
 * when the registry is scraped: prom-client's own histograms hash the labels at every value. Histograms of several
 * processes can be added up.
 * @example
 * createShardRouter({ schema, topology, telemetry: prometheus({ registry: client.register }) })
 */
export function prometheus({ registry, buckets = defaultBuckets, log }: PrometheusOptions): Telemetry {
  const series = new Map<string, Series>()
  const seriesOf = (name: string, type: 'counter' | 'gauge' | 'histogram'): Series => {
    const known = series.get(name)
    if (known !== undefined) return known
    const made = new Series(name.replaceAll('.', '_'), type, buckets)
    series.set(name, made)
    registry.registerMetric(made)
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
