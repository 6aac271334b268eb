import { defineMetrics } from '../define-metrics.ts'
import { limits } from '../limits.ts'

const machine = 'instance'
const lasting = { forMs: 300_000 } as const

/**
 * A database does not know its machine: node_exporter does, and the monitor where the role may read /proc or the operator has
 * stated the size of the volume. Where both look, both tell.
 */
export const machineMetrics = defineMetrics('machine', {
  disk_ratio: {
    title: 'Disk used',
    unit: 'ratio',
    source: 'machine',
    promql: `max by (${machine}, mountpoint) (1 - node_filesystem_avail_bytes{fstype!~"tmpfs|overlay"} / node_filesystem_size_bytes{fstype!~"tmpfs|overlay"}) or shardwright_monitor_disk_ratio`,
    limits: limits({ warning: 0.7, critical: 0.85, ...lasting, remedy: 'Drop old partitions, or add a shard.' }),
  },
  cpu_ratio: {
    title: 'CPU used',
    unit: 'ratio',
    source: 'machine',
    promql: `1 - avg by (${machine}) (rate(node_cpu_seconds_total{mode="idle"}[5m])) or shardwright_monitor_cpu_ratio`,
    limits: limits({
      warning: 0.7,
      critical: 0.9,
      ...lasting,
      remedy: 'Look at the statements with the most total time; then replicas or another shard.',
    }),
  },
  memory_ratio: {
    title: 'Memory used',
    unit: 'ratio',
    source: 'machine',
    promql: '1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes or shardwright_monitor_memory_ratio',
    limits: limits({
      warning: 0.8,
      critical: 0.95,
      ...lasting,
      hysteresis: 0.02,
      remedy: 'Check work_mem times the number of sessions, and shared_buffers.',
    }),
  },
})
