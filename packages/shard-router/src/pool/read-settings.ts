import type { ReadPreference } from './shard-pool.ts'

export type Balance = 'round-robin' | 'least-outstanding' | 'weighted'

/** Where reads go, and how replicas are watched. */
export interface ReadSettings {
  readonly reads: ReadPreference
  readonly balance: Balance
  /** Shares under `weighted`, by the replica's address (`host:port/database`); as the topology says when absent. */
  readonly weights: Readonly<Record<string, number>>
  /** When no replica is fit: `primary` reads there, `refuse` throws NO_REPLICA. */
  readonly whenNoReplica: 'primary' | 'refuse'
  readonly probeIntervalMs: number
  readonly probeTimeoutMs: number
  /** Failed probes in a row that set a replica aside. */
  readonly maxFails: number
  /** How long it is then left alone; a good probe after that brings it back. */
  readonly failTimeoutMs: number
  /** How long a read under a token waits for a replica before it goes to the primary. */
  readonly tokenWaitMs: number
  /** How long a statement under a token of a commit that is not settled on its shard waits for that, at most. */
  readonly unsettledWaitMs: number
  /** After this long without an answer a read of a replica is asked of another server too; the first answer counts. */
  readonly hedgeAfterMs: number | undefined
}

export const readDefaults: ReadSettings = Object.freeze({
  reads: 'primary',
  balance: 'least-outstanding',
  weights: Object.freeze({}),
  whenNoReplica: 'primary',
  probeIntervalMs: 1_000,
  probeTimeoutMs: 2_000,
  maxFails: 2,
  failTimeoutMs: 1_000,
  tokenWaitMs: 20,
  unsettledWaitMs: 5_000,
  hedgeAfterMs: undefined,
})
