import type { Alert } from '../threshold/alert.ts'

/** Who is told. A port that throws is reported to telemetry and does not keep the others from being told. */
export interface AlertPort {
  tell(alert: Alert): void | Promise<void>
}
