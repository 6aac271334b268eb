import { defineMetrics } from '../define-metrics.ts'
import { limits } from '../limits.ts'

const hourMs = 3_600_000

export const storageMetrics = defineMetrics('storage', {
  database_bytes: { title: 'Size of the database', unit: 'bytes' },
  table_bytes: { title: 'Size of a table', unit: 'bytes' },
  index_bytes: { title: "Size of a table's indexes", unit: 'bytes' },
  dead_rows_ratio: { title: 'Dead rows of a table', unit: 'ratio' },
  bloat_estimate_ratio: { title: 'Bloat of a table, estimated', unit: 'ratio' },
  partitions_ahead: {
    title: 'Partitions that begin after now',
    unit: 'count',
    limits: limits({
      worse: 'below',
      warning: 1,
      critical: 1,
      forMs: hourMs,
      clearMs: 0,
      hysteresis: 0,
      remedy: 'Run `shardwright partitions apply`, and look why the maintenance did not.',
    }),
  },
  view_age_seconds: { title: 'Age of a view', unit: 's' },
})
