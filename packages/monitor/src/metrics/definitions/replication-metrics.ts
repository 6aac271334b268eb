import { defineMetrics } from '../define-metrics.ts'
import { limits } from '../limits.ts'

const minuteMs = 60_000

export const replicationMetrics = defineMetrics('replication', {
  replicas: { title: 'Replicas connected', unit: 'count' },
  replication_lag_bytes: { title: 'Replication lag in bytes', unit: 'bytes' },
  replication_lag_seconds: {
    title: 'Replication lag',
    unit: 's',
    limits: limits({
      warning: 1,
      critical: 10,
      forMs: minuteMs,
      graceMs: 5 * minuteMs,
      remedy: 'Look for long queries on the replica that hold replay back, and at its disk.',
    }),
  },
})
