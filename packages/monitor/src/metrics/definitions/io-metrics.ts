import { defineMetrics } from '../define-metrics.ts'

export const ioMetrics = defineMetrics('io', {
  read_bytes_per_second: { title: 'Read by PostgreSQL', unit: 'bytes/s' },
  written_bytes_per_second: { title: 'Written by PostgreSQL', unit: 'bytes/s' },
  wal_bytes_per_second: { title: 'Write-ahead log', unit: 'bytes/s' },
  temp_bytes_per_second: { title: 'Temporary files', unit: 'bytes/s' },
  io_waiting_sessions: { title: 'Sessions waiting for a disk, on average', unit: 'count' },
})
