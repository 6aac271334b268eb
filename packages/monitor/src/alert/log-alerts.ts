import type { Telemetry } from '@shardwright/core'
import type { AlertPort } from './alert-port.ts'
import { describeAlert } from './describe-alert.ts'

/**
 * Writes alerts to the log of a telemetry.
 * @example
 * createMonitor({ fleet, alerts: [logAlerts(telemetry)] })
 */
export function logAlerts(telemetry: Pick<Telemetry, 'log'>): AlertPort {
  return Object.freeze<AlertPort>({
    tell(alert) {
      const level = alert.level === 'critical' ? 'error' : alert.level === 'ok' ? 'info' : 'warn'
      telemetry.log(level, describeAlert(alert), { metric: alert.metric, subject: alert.subject })
    },
  })
}
