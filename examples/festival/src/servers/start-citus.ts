import { defineTopology } from '@shardwright/core'
import { citusFromEnvironment } from '@shardwright/local-cluster'
import { distributeTables } from '../schema/distribute-tables.sql.ts'
import type { PlatformServers } from './platform-servers.ts'

/** A database on the cluster of CITUS_URL, or on one in containers; its coordinator's server has the one PostgreSQL too. */
export async function startCitus(): Promise<PlatformServers> {
  const citus = await citusFromEnvironment()
  try {
    const database = await citus.createDatabase()
    const workers = Object.keys(database.nodes).length - 1
    return Object.freeze({
      title: `Citus, ${workers} workers`,
      oneUrl: database.plainUrl,
      topology: () => defineTopology(database.topologyInput()),
      place: async (connection) => {
        for (const statement of distributeTables) await connection.query(statement)
      },
      stop: () => citus.stop(),
    } satisfies PlatformServers)
  } catch (error) {
    await citus.stop()
    throw error
  }
}
