import type { LocalServer } from './local-cluster.ts'

/** Makes the PostgreSQL servers of one cluster and knows them all, so that none is forgotten at the end. */
export interface ServerFactory {
  startPrimary(id: string): Promise<LocalServer>
  /** `primaryId` is the id that the primary was started with. */
  startReplica(id: string, primaryId: string): Promise<LocalServer>
  /** Ends and removes every server, also those that had not finished starting. */
  destroy(): Promise<void>
}
