import type { AnyTopology, FleetConnection } from '@shardwright/core'
import type { Festival } from '../data/festivals.ts'

/** Where the platform runs, and one PostgreSQL that every answer is compared with. */
export interface PlatformServers {
  /** `4 shards`, or `Citus, 2 workers`. */
  readonly title: string
  readonly oneUrl: string
  topology(festivals: readonly Festival[]): AnyTopology
  /** What makes tables that were just created what the schema says of them. */
  place(connection: FleetConnection): Promise<void>
  stop(): Promise<void>
}
