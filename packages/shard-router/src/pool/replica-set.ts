import type { CommitToken } from '@shardwright/core'
import type { ReadSettings } from './read-settings.ts'
import type { Replica } from './replica.ts'
import { ReplicaBalance } from './replica-balance.ts'
import type { ReplicaMonitor } from './replica-monitor.ts'
import type { ReadPreference, Statement } from './shard-pool.ts'

/** The replicas of a shard, and which of them may answer a read. */
export class ReplicaSet {
  readonly replicas: readonly Replica[]
  readonly monitor: ReplicaMonitor
  readonly #settings: ReadSettings
  readonly #balance: ReplicaBalance

  constructor(replicas: readonly Replica[], monitor: ReplicaMonitor, settings: ReadSettings) {
    this.replicas = replicas
    this.monitor = monitor
    this.#settings = settings
    this.#balance = new ReplicaBalance(settings.balance)
  }

  /** A replica that is fresh enough, or undefined. `but` was tried already. */
  choose(preference: ReadPreference, token: CommitToken | undefined, but?: Replica): Replica | undefined {
    const fit = this.replicas.filter((replica) => replica !== but && isFit(replica, preference, token))
    return this.#balance.choose(fit)
  }

  /** Waits within the budget until some replica has reached the token's position. */
  async waitFor(preference: ReadPreference, token: CommitToken): Promise<Replica | undefined> {
    const candidates = this.replicas.filter((replica) => isFit(replica, preference, undefined))
    if (candidates.length === 0 || this.#settings.tokenWaitMs <= 0) return undefined
    const replica = this.#balance.choose(candidates)!
    const { clock } = replica.server.context
    const deadline = clock.monotonicMs() + this.#settings.tokenWaitMs
    for (let pauseMs = 1; ; pauseMs *= 2) {
      const replayed = await replayOf(replica, deadline)
      if (replayed === undefined) return undefined
      replica.sawReplay(replayed)
      if (replica.hasReached(token.lsn)) return replica
      if (clock.monotonicMs() + pauseMs >= deadline) return undefined
      await clock.sleep(pauseMs)
    }
  }
}

function isFit(replica: Replica, preference: ReadPreference, token: CommitToken | undefined): boolean {
  if (!replica.healthy) return false
  if (token !== undefined && !replica.hasReached(token.lsn)) return false
  if (typeof preference === 'string') return true
  const { lagMs, lagBytes } = replica.state!
  return lagMs <= (preference.maxLagMs ?? Infinity) && lagBytes <= (preference.maxLagBytes ?? Infinity)
}

const replaySql: Statement = Object.freeze({
  sql: 'select pg_catalog.pg_last_wal_replay_lsn()::text as replayed',
  parameters: Object.freeze([]),
  access: 'read',
  rows: 'facts',
})

async function replayOf(replica: Replica, deadline: number): Promise<string | undefined> {
  try {
    const { rows } = await replica.server.execute(replaySql, { deadline })
    return (rows[0] as { replayed: string | null }).replayed ?? undefined
  } catch {
    // The read does not depend on this replica: it goes to the primary, and the probes say what is wrong here.
    return undefined
  }
}
