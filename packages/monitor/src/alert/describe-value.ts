import type { MetricUnit } from '../metrics/metric-definition.ts'

/** A value with its unit, for people: `93 %`, `12 s`. */
export function describeValue(value: number, unit: MetricUnit): string {
  if (unit === 'ratio') return `${round(value * 100)} %`
  return unit === 'count' ? `${round(value)}` : `${round(value)} ${unit}`
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
