import type { Alert } from '../threshold/alert.ts'
import { describeValue } from './describe-value.ts'

/**
 * An alert as one line for people.
 * @example
 * describeAlert(alert) // 'critical: Replication lag of s2/replica-1 is 12 s (was ok). Look for long queries ...'
 */
export function describeAlert({ level, before, title, subject, value, unit, remedy }: Alert): string {
  const shown = value === undefined ? 'unknown' : describeValue(value, unit)
  const help = level === 'ok' ? '' : ` ${remedy}`
  return `${level}: ${title} of ${subject} is ${shown} (was ${before}).${help}`
}
