import { defineMetrics } from '../define-metrics.ts'
import { limits } from '../limits.ts'

const minuteMs = 60_000
const patient = { worse: 'below', warning: 0.9, critical: 0.8, forMs: 10 * minuteMs, hysteresis: 0.01 } as const
const hits = 'sum by (name) (rate(shardwright_cache_hits_total[5m]))'

export const cacheMetrics = defineMetrics('cache', {
  cache_hit_ratio: {
    title: "Hits in PostgreSQL's buffers",
    unit: 'ratio',
    limits: limits({
      ...patient,
      graceMs: 15 * minuteMs,
      remedy: 'Look for sequential scans; then more memory or another shard.',
    }),
  },
  own_cache_hit_ratio: {
    title: 'Hits in the cache of the processes',
    unit: 'ratio',
    source: 'telemetry',
    promql: `${hits} / (${hits} + sum by (name) (rate(shardwright_cache_misses_total[5m])))`,
    limits: limits({
      ...patient,
      graceMs: 15 * minuteMs,
      remedy: 'Look at the memory and the lifetimes of the cache, and at how often its keys are invalidated.',
    }),
  },
})
