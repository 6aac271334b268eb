import { activityMetrics } from './definitions/activity-metrics.ts'
import { cacheMetrics } from './definitions/cache-metrics.ts'
import { connectionMetrics } from './definitions/connection-metrics.ts'
import { ioMetrics } from './definitions/io-metrics.ts'
import { keyMetrics } from './definitions/key-metrics.ts'
import { machineMetrics } from './definitions/machine-metrics.ts'
import { replicationMetrics } from './definitions/replication-metrics.ts'
import { statementMetrics } from './definitions/statement-metrics.ts'
import { storageMetrics } from './definitions/storage-metrics.ts'
import type { MetricDefinition } from './metric-definition.ts'

/** Everything that is measured, with the limits that operators of such platforms use. Ratios go from 0 to 1. */
export const defaultMetrics: readonly MetricDefinition[] = Object.freeze([
  ...statementMetrics,
  ...connectionMetrics,
  ...replicationMetrics,
  ...activityMetrics,
  ...cacheMetrics,
  ...ioMetrics,
  ...storageMetrics,
  ...keyMetrics,
  ...machineMetrics,
])
