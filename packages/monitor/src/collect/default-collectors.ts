import { activity } from './activity.ts'
import type { Collector } from './collector.ts'
import { connections } from './connections.ts'
import { databaseCounters } from './database-counters.ts'
import { io } from './io.ts'
import { locks } from './locks.ts'
import { partitionsAhead } from './partitions-ahead.ts'
import { replication } from './replication.ts'
import { serverMachine } from './server-machine.ts'
import { serverStatements } from './server-statements.ts'
import { sizes } from './sizes.ts'
import { viewAges } from './view-ages.ts'

/** All that is measured unless told otherwise. */
export const defaultCollectors: readonly Collector[] = Object.freeze([
  connections,
  replication,
  activity,
  locks,
  databaseCounters,
  io,
  serverStatements,
  partitionsAhead,
  viewAges,
  serverMachine,
  sizes,
])
