import { defineMetrics } from '../define-metrics.ts'
import { limits } from '../limits.ts'

const minuteMs = 60_000

export const connectionMetrics = defineMetrics('connections', {
  up: {
    title: 'Primary answers',
    unit: 'count',
    limits: limits({
      worse: 'below',
      warning: 1,
      critical: 1,
      forMs: minuteMs,
      clearMs: minuteMs,
      hysteresis: 0,
      remedy: 'Check that the server runs and can be reached.',
    }),
  },
  round_trip_ms: { title: 'One round trip to the primary', unit: 'ms' },
  connections: { title: 'Connections by state', unit: 'count' },
  connections_ratio: {
    title: 'Connections used',
    unit: 'ratio',
    limits: limits({
      warning: 0.7,
      critical: 0.9,
      remedy: 'Lower the pool sizes, or put a pooler before the shard.',
    }),
  },
})
