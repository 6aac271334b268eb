import type { MetricDefinition } from './metric-definition.ts'

const minuteMs = 60_000
const usual = { worse: 'above', forMs: 2 * minuteMs, clearMs: 5 * minuteMs, hysteresis: 0.1, graceMs: 0 } as const

const machine = 'instance'

/**
 * The metrics with the limits that operators of such platforms use. Ratios go from 0 to 1. Those of the machine (disk, CPU,
 * memory) come from node_exporter: a database does not know them.
 */
export const defaultMetrics: readonly MetricDefinition[] = Object.freeze([
  metric({
    name: 'latency_p95_ms',
    title: 'Statement latency, p95',
    unit: 'ms',
    warning: 100,
    critical: 500,
    promql: 'histogram_quantile(0.95, sum by (le, shard) (rate(shardwright_pool_statement_ms_bucket[5m])))',
    remedy: 'Look at the slow statements of the shard, and at sessions that wait for locks.',
  }),
  metric({
    name: 'errors_ratio',
    title: 'Statements that failed',
    unit: 'ratio',
    warning: 0.01,
    critical: 0.05,
    promql:
      'sum by (shard) (rate(shardwright_pool_errors[5m])) / sum by (shard) (rate(shardwright_pool_statement_ms_count[5m]))',
    remedy: 'Group the errors by their code: shardwright_pool_errors has it as a label.',
  }),
  gauge({
    name: 'up',
    title: 'Primary answers',
    unit: 'count',
    worse: 'below',
    warning: 1,
    critical: 1,
    forMs: minuteMs,
    clearMs: minuteMs,
    hysteresis: 0,
    remedy: 'Check that the server runs and can be reached.',
  }),
  gauge({
    name: 'connections_ratio',
    title: 'Connections used',
    unit: 'ratio',
    warning: 0.7,
    critical: 0.9,
    remedy: 'Lower the pool sizes, or put a pooler before the shard.',
  }),
  gauge({
    name: 'replication_lag_seconds',
    title: 'Replication lag',
    unit: 's',
    warning: 1,
    critical: 10,
    forMs: minuteMs,
    graceMs: 5 * minuteMs,
    remedy: 'Look for long queries on the replica that hold replay back, and at its disk.',
  }),
  gauge({
    name: 'cache_hit_ratio',
    title: "Hits in PostgreSQL's buffers",
    unit: 'ratio',
    worse: 'below',
    warning: 0.9,
    critical: 0.8,
    forMs: 10 * minuteMs,
    hysteresis: 0.01,
    graceMs: 15 * minuteMs,
    remedy: 'Look for sequential scans; then more memory or another shard.',
  }),
  gauge({
    name: 'longest_transaction_seconds',
    title: 'Longest transaction',
    unit: 's',
    warning: 300,
    critical: 1800,
    forMs: 0,
    clearMs: 0,
    remedy: 'End it, or its client: it keeps dead rows from being cleaned away.',
  }),
  gauge({
    name: 'longest_lock_wait_seconds',
    title: 'Longest wait for a lock',
    unit: 's',
    warning: 5,
    critical: 30,
    forMs: 0,
    clearMs: 0,
    remedy: 'Find the blocker with pg_blocking_pids.',
  }),
  gauge({
    name: 'oldest_in_doubt_seconds',
    title: 'Oldest prepared transaction',
    unit: 's',
    warning: 60,
    critical: 600,
    forMs: 0,
    clearMs: 0,
    remedy: "Check that a process with the router's recovery runs; a prepared transaction holds its locks.",
  }),
  metric({
    name: 'disk_ratio',
    title: 'Disk used',
    unit: 'ratio',
    warning: 0.7,
    critical: 0.85,
    forMs: 5 * minuteMs,
    promql: `max by (${machine}, mountpoint) (1 - node_filesystem_avail_bytes{fstype!~"tmpfs|overlay"} / node_filesystem_size_bytes{fstype!~"tmpfs|overlay"})`,
    remedy: 'Drop old partitions, or add a shard.',
  }),
  metric({
    name: 'cpu_ratio',
    title: 'CPU used',
    unit: 'ratio',
    warning: 0.7,
    critical: 0.9,
    forMs: 5 * minuteMs,
    promql: `1 - avg by (${machine}) (rate(node_cpu_seconds_total{mode="idle"}[5m]))`,
    remedy: 'Look at the statements with the most total time; then replicas or another shard.',
  }),
  metric({
    name: 'memory_ratio',
    title: 'Memory used',
    unit: 'ratio',
    warning: 0.8,
    critical: 0.95,
    forMs: 5 * minuteMs,
    hysteresis: 0.02,
    promql: '1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes',
    remedy: 'Check work_mem times the number of sessions, and shared_buffers.',
  }),
])

type Given = Pick<MetricDefinition, 'name' | 'title' | 'unit' | 'warning' | 'critical' | 'remedy'> &
  Partial<MetricDefinition>

function metric(given: Given & Pick<MetricDefinition, 'promql'>): MetricDefinition {
  return Object.freeze({ ...usual, ...given })
}

/** One that the collectors measure. */
function gauge(given: Given): MetricDefinition {
  return metric({ ...given, promql: `shardwright_monitor_${given.name}` })
}
