import { type Clock, type Fleet, noTelemetry, systemClock, type Telemetry } from '@shardwright/core'
import { z } from 'zod'
import type { AlertPort } from './alert/alert-port.ts'
import type { Collector } from './collect/collector.ts'
import { defaultCollectors } from './collect/default-collectors.ts'
import { parseOptions } from './errors/parse-options.ts'
import { checkMetrics } from './metrics/check-metrics.ts'
import { defaultMetrics } from './metrics/default-metrics.ts'
import type { MetricDefinition } from './metrics/metric-definition.ts'
import type { Source } from './source/source.ts'

export interface MonitorOptions {
  readonly fleet: Fleet
  /** Where the values go, as gauges `shardwright.monitor.<metric>`. Default: nowhere. */
  readonly telemetry?: Telemetry | undefined
  /** Who is told of changes of level. Default: nobody. */
  readonly alerts?: readonly AlertPort[] | undefined
  /** What this process measures by itself: `callerTelemetry()`, `hotKeys()`. */
  readonly sources?: readonly Source[] | undefined
  /** Default: `defaultCollectors`. */
  readonly collectors?: readonly Collector[] | undefined
  /** Default: `defaultMetrics`. */
  readonly metrics?: readonly MetricDefinition[] | undefined
  /** From the end of a round to the next, milliseconds. Default: 15000. */
  readonly everyMs?: number | undefined
  /** How long a shard may take for a round, milliseconds. Default: 10000. */
  readonly budgetMs?: number | undefined
  /** Default: 120000. */
  readonly staleMs?: number | undefined
  /** How many rounds `history` keeps. Default: 5760, a day of 15 s. */
  readonly keptRounds?: number | undefined
  readonly clock?: Clock | undefined
}

const positive = z.number().positive()
const shape = z.strictObject({
  fleet: z.custom<Fleet>((value) => Array.isArray((value as Fleet | undefined)?.shards), 'pass a Fleet'),
  telemetry: z.custom<Telemetry>().default(noTelemetry),
  alerts: z.array(z.custom<AlertPort>((port) => typeof (port as AlertPort)?.tell === 'function')).default([]),
  collectors: z.array(z.custom<Collector>((one) => typeof (one as Collector)?.collect === 'function')).optional(),
  sources: z.array(z.custom<Source>((one) => typeof (one as Source)?.read === 'function')).default([]),
  metrics: z.custom<readonly MetricDefinition[]>((value) => Array.isArray(value)).default(defaultMetrics),
  everyMs: positive.default(15_000),
  budgetMs: positive.default(10_000),
  staleMs: positive.default(120_000),
  keptRounds: z.int().positive().default(5_760),
  clock: z.custom<Clock>().default(systemClock),
})

export type ResolvedMonitorOptions = ReturnType<typeof resolveMonitorOptions>

/** @throws MonitorError MONITOR_INVALID_OPTIONS */
export function resolveMonitorOptions(options: MonitorOptions) {
  const resolved = parseOptions('The monitor', shape, options)
  checkMetrics(resolved.metrics)
  return Object.freeze({ ...resolved, collectors: resolved.collectors ?? defaultCollectors })
}
