import { activity } from './activity.ts'
import type { Collector } from './collector.ts'
import { connections } from './connections.ts'
import { databaseCounters } from './database-counters.ts'
import { replication } from './replication.ts'
import { sizes } from './sizes.ts'

/** All that is measured unless told otherwise. */
export const defaultCollectors: readonly Collector[] = Object.freeze([
  connections,
  replication,
  activity,
  databaseCounters,
  sizes,
])
