import { defineMetrics } from '../define-metrics.ts'
import { limits } from '../limits.ts'

const quantile = (share: number) =>
  `1000 * histogram_quantile(${share}, sum by (le, shard) (rate(shardwright_pool_statement_seconds_bucket[5m])))`
const perShard = 'sum by (shard) (rate(shardwright_pool_statement_seconds_count[5m]))'
// A counter that never counted has no series: no errors, where there are statements.
const errors = `(sum by (shard) (rate(shardwright_pool_errors_total[5m])) or ${perShard} * 0)`

/** Statements as their callers see them, retries and waits included. */
export const statementMetrics = defineMetrics('statements', {
  statements_per_second: { title: 'Statements', unit: '1/s', source: 'telemetry', promql: perShard },
  latency_p50_ms: { title: 'Statement latency, p50', unit: 'ms', source: 'telemetry', promql: quantile(0.5) },
  latency_p95_ms: {
    title: 'Statement latency, p95',
    unit: 'ms',
    source: 'telemetry',
    promql: quantile(0.95),
    limits: limits({
      warning: 100,
      critical: 500,
      remedy: 'Look at the slow statements of the shard, and at sessions that wait for locks.',
    }),
  },
  latency_p99_ms: { title: 'Statement latency, p99', unit: 'ms', source: 'telemetry', promql: quantile(0.99) },
  errors_ratio: {
    title: 'Statements that failed',
    unit: 'ratio',
    source: 'telemetry',
    promql: `${errors} / ${perShard}`,
    limits: limits({
      warning: 0.01,
      critical: 0.05,
      remedy: 'Group the errors by their code: shardwright_pool_errors_total has it as a label.',
    }),
  },
  scatters_per_second: {
    title: 'Statements that asked several shards',
    unit: '1/s',
    source: 'telemetry',
    promql: 'sum(rate(shardwright_router_scatter_shards_count[5m]))',
  },
  server_statements_per_second: { title: 'Statements, as pg_stat_statements counts them', unit: '1/s' },
  server_statement_mean_ms: { title: 'Mean execution time, by pg_stat_statements', unit: 'ms' },
})
