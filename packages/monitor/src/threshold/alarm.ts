import { describeValue } from '../alert/describe-value.ts'
import { type Sample, subjectOf } from '../collect/sample.ts'
import { defaultMetrics } from '../metrics/default-metrics.ts'
import type { MetricDefinition, MetricUnit } from '../metrics/metric-definition.ts'
import { levelOf } from './level-of.ts'
import { limitedMetrics } from './limited-metric.ts'

/** A value that is beyond a limit at this moment, whatever was before. */
export interface Alarm {
  readonly metric: string
  readonly title: string
  readonly shard: string | undefined
  readonly subject: string
  readonly level: 'warning' | 'critical'
  readonly value: number
  readonly unit: MetricUnit
  readonly remedy: string
}

/**
 * The values of one look that are beyond their limits, the critical ones first. It knows no duration: what has to last before
 * it is told is `ThresholdWatch`'s to judge.
 * @example
 * const { samples } = await monitor.collect()
 * for (const alarm of alarmsOf(samples)) console.log(describeAlarm(alarm))
 */
export function alarmsOf(
  samples: readonly Sample[],
  metrics: readonly MetricDefinition[] = defaultMetrics,
): readonly Alarm[] {
  const limited = new Map(limitedMetrics(metrics).map((metric) => [metric.name, metric]))
  const alarms = samples.flatMap((sample): Alarm[] => {
    const metric = limited.get(sample.metric)
    if (metric === undefined || sample.value === undefined) return []
    const level = levelOf(metric.limits, sample.value, 'ok')
    if (level !== 'warning' && level !== 'critical') return []
    const { name, title, unit, limits } = metric
    const subject = subjectOf(sample)
    const { remedy } = limits
    return [{ metric: name, title, shard: sample.labels.shard, subject, level, value: sample.value, unit, remedy }]
  })
  return alarms.toSorted((a, b) => Number(b.level === 'critical') - Number(a.level === 'critical'))
}

/** An alarm as one line for people. */
export function describeAlarm({ level, title, subject, value, unit, remedy }: Alarm): string {
  return `${level}: ${title} of ${subject} is ${describeValue(value, unit)}. ${remedy}`
}
