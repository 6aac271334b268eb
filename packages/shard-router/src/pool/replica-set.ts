import type { CommitToken } from '@shardwright/core'
import type { ReadSettings } from './read-settings.ts'
import { waitForReplay } from './replay-wait.ts'
import type { Replica } from './replica.ts'
import { ReplicaBalance } from './replica-balance.ts'
import type { ReplicaMonitor } from './replica-monitor.ts'
import type { ReadPreference } from './shard-pool.ts'

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
    const candidates = this.replicas.filter(
      (replica) => isFit(replica, preference, undefined) && replica.follows(token),
    )
    if (candidates.length === 0 || this.#settings.tokenWaitMs <= 0) return undefined
    const replica = this.#balance.choose(candidates)!
    const { server } = replica
    const deadline = server.context.clock.monotonicMs() + this.#settings.tokenWaitMs
    const replayed = await waitForReplay(server, token.lsn, deadline, replica.state!.serverVersion)
    if (replayed === undefined) return undefined
    replica.sawReplay(replayed)
    return replica.hasReached(token) ? replica : undefined
  }
}

function isFit(replica: Replica, preference: ReadPreference, token: CommitToken | undefined): boolean {
  if (!replica.healthy) return false
  if (token !== undefined && !replica.hasReached(token)) return false
  if (typeof preference === 'string') return true
  const { lagMs, lagBytes } = replica.state!
  return lagMs <= (preference.maxLagMs ?? Infinity) && lagBytes <= (preference.maxLagBytes ?? Infinity)
}
