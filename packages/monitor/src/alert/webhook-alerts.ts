import { MonitorError } from '../errors/monitor-error.ts'
import type { AlertPort } from './alert-port.ts'
import { describeAlert } from './describe-alert.ts'

export interface WebhookOptions {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Default: 5000. */
  readonly timeoutMs?: number | undefined
}

/**
 * Posts each alert as JSON: the alert's fields, and `text` for people, which chat webhooks show. It does not try again: the
 * next change is told anyway.
 * @example
 * createMonitor({ fleet, alerts: [webhookAlerts({ url: process.env.ALERT_URL })] })
 */
export function webhookAlerts({ url, headers = {}, timeoutMs = 5_000 }: WebhookOptions): AlertPort {
  return Object.freeze<AlertPort>({
    async tell(alert) {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ text: describeAlert(alert), ...alert }),
        signal: AbortSignal.timeout(timeoutMs),
      }).catch((cause: unknown) => {
        // The address is a secret of its own in most chat systems: not repeated.
        throw new MonitorError({ code: 'ALERT_NOT_DELIVERED', message: 'The webhook does not answer.', cause })
      })
      await response.body?.cancel()
      if (response.ok) return
      throw new MonitorError({
        code: 'ALERT_NOT_DELIVERED',
        message: `The webhook answered with status ${response.status}.`,
        details: { status: response.status },
      })
    },
  })
}
