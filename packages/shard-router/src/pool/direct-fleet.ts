import { type AnyTopology, type Fleet, fleetOf, type PgClientConstructor } from '@shardwright/core'
import { Client } from 'pg'

/** The shards of a topology on their direct connections. */
export function directFleet(topology: AnyTopology): Fleet {
  return fleetOf(topology, Client as unknown as PgClientConstructor)
}
