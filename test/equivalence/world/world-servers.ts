import type { Telemetry } from '@shardwright/core'
import type { OpenWorld } from './open-world.ts'
import type { World, WorldEngine } from './world.ts'

/** Where worlds live: the servers of an engine, and one PostgreSQL beside them. */
export interface WorldServers extends AsyncDisposable {
  readonly engine: WorldEngine
  /** The major version of PostgreSQL, the same on both sides. */
  readonly postgres: number
  /** Puts a world into its databases and makes a router over them. */
  open(world: World, telemetry: Telemetry): Promise<OpenWorld>
}
