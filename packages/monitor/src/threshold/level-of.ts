import type { Limits } from '../metrics/limits.ts'
import type { AlertLevel } from './alert.ts'

/** The level that `value` asks for, given the level now: a level is left only by more than the hysteresis. */
export function levelOf(limits: Limits, value: number, now: AlertLevel): AlertLevel {
  const critical = now === 'critical'
  if (isBad(limits, value, limits.critical, critical)) return 'critical'
  return isBad(limits, value, limits.warning, critical || now === 'warning') ? 'warning' : 'ok'
}

function isBad({ worse, hysteresis }: Limits, value: number, threshold: number, reached: boolean): boolean {
  const margin = reached ? Math.abs(threshold) * hysteresis : 0
  // On the threshold is not yet beyond it.
  return worse === 'above' ? value > threshold - margin : value < threshold + margin
}
