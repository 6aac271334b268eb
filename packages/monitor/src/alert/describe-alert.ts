import type { MetricUnit } from '../metrics/metric-definition.ts'
import type { Alert } from '../threshold/alert.ts'

/**
 * An alert as one line for people.
 * @example
 * describeAlert(alert) // 'critical: Replication lag of s2/replica-1 is 12 s (was ok). Look for long queries ...'
 */
export function describeAlert({ level, before, title, subject, value, unit, remedy }: Alert): string {
  const shown = value === undefined ? 'unknown' : show(value, unit)
  const help = level === 'ok' ? '' : ` ${remedy}`
  return `${level}: ${title} of ${subject} is ${shown} (was ${before}).${help}`
}

function show(value: number, unit: MetricUnit): string {
  if (unit === 'ratio') return `${round(value * 100)} %`
  return unit === 'count' ? `${round(value)}` : `${round(value)} ${unit}`
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
