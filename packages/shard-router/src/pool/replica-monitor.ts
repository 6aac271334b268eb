import { ShardwrightError } from '@shardwright/core'
import { LagHistory, lagBytes } from './lag-history.ts'
import type { ReadSettings } from './read-settings.ts'
import type { Replica } from './replica.ts'
import { type PrimaryRow, primaryProbe, type ReplicaRow, replicaProbe } from './replica-probe.ts'
import type { Server } from './server.ts'
import type { Statement } from './shard-pool.ts'

/** Probes a shard's replicas and measures how far they are behind its primary. */
export class ReplicaMonitor {
  readonly #replicas: readonly Replica[]
  readonly #settings: ReadSettings
  readonly #primary: () => Server
  readonly #promoted: () => void
  readonly #history = new LagHistory()
  #systemId: string | undefined
  #timeline: string | undefined
  #timer: NodeJS.Timeout | undefined
  #round: Promise<void> | undefined
  #first: Promise<void> | undefined
  #settled = false
  #stopped = false

  /** `promoted` hears of a replica that is a primary: it may be the shard's. */
  constructor(replicas: readonly Replica[], settings: ReadSettings, primary: () => Server, promoted: () => void) {
    this.#replicas = replicas
    this.#settings = settings
    this.#primary = primary
    this.#promoted = promoted
  }

  /** Probes from now on; resolves after the first round, for whoever asks meanwhile too. */
  start(): Promise<void> {
    this.#first ??= this.#begin()
    return this.#first
  }

  /** True after the first round: until then nothing is known of any replica. */
  get settled(): boolean {
    return this.#settled
  }

  stop(): Promise<void> {
    this.#stopped = true
    clearInterval(this.#timer)
    return this.#round ?? Promise.resolve()
  }

  async #begin(): Promise<void> {
    if (this.#stopped) return
    this.#timer = setInterval(() => void this.probe(), this.#settings.probeIntervalMs)
    this.#timer.unref()
    await this.probe()
    this.#settled = true
  }

  /** A new primary counts from its own position. */
  primaryChanged(): void {
    this.#history.clear()
  }

  /** One round; callers meanwhile share it. */
  probe(): Promise<void> {
    this.#round ??= this.#probeAll().finally(() => {
      this.#round = undefined
    })
    return this.#round
  }

  async #probeAll(): Promise<void> {
    await this.#probePrimary()
    await Promise.all(
      this.#replicas.map(async (replica) => {
        await this.#probeReplica(replica)
        const { telemetry, shard, address } = replica.server.context
        const available = replica.asideBecause === undefined ? 1 : 0
        // The lag is that of the last answer: this tells whether it still means anything.
        telemetry.gauge('shardwright.pool.replica_available', available, { shard, server: address.label })
      }),
    )
  }

  async #probePrimary(): Promise<void> {
    const server = this.#primary()
    try {
      const row = (await this.#ask(server, primaryProbe)) as PrimaryRow
      this.#systemId = row.systemId
      this.#timeline = row.timeline
      this.#history.add(server.context.clock.monotonicMs(), row.lsn)
    } catch (error) {
      // Without the primary the lag is measured against its last known position: replicas stay readable.
      server.context.telemetry.log('warn', `lag probe of the primary of ${server.context.shard}: ${reasonOf(error)}`)
    }
  }

  async #probeReplica(replica: Replica): Promise<void> {
    const { context } = replica.server
    if (replica.rests(context.clock.monotonicMs())) return
    const attributes = { shard: context.shard, server: context.address.label }
    try {
      const row = (await this.#ask(replica.server, replicaProbe)) as ReplicaRow
      // What it has received once it has, also while nothing comes.
      const timeline = later(row.timeline, replica.state?.timeline)
      const refusal = this.#refusalOf(replica, row, timeline)
      if (refusal !== undefined) return this.#refuse(replica, refusal)
      const replayed = row.replayed!
      const state = {
        replayed,
        timeline,
        lagBytes: lagBytes(this.#history.latest ?? replayed, replayed),
        lagMs: this.#history.lagMs(context.clock.monotonicMs(), replayed),
        serverVersion: row.serverVersion,
      }
      if (replica.asideBecause !== undefined)
        context.telemetry.log('info', `${context.address.label} is back`, attributes)
      replica.probed(state)
      context.telemetry.gauge('shardwright.pool.replica_lag_bytes', state.lagBytes, attributes)
      context.telemetry.gauge('shardwright.pool.replica_lag_ms', state.lagMs, attributes)
    } catch (error) {
      if (isMistaken(error)) return this.#refuse(replica, error.message)
      if (!replica.probeFailed(reasonOf(error), context.clock.monotonicMs(), this.#settings)) return
      context.telemetry.log('warn', `${context.address.label} is set aside: ${reasonOf(error)}`, attributes)
      // A server that hangs answers nothing that was sent: its readers are served elsewhere.
      replica.server.abandonReads()
    }
  }

  #refuse(replica: Replica, reason: string): void {
    const { telemetry, address, shard } = replica.server.context
    if (replica.asideBecause !== reason) {
      telemetry.log(reason === noStandby ? 'warn' : 'error', `${address.label}: ${reason}`, {
        shard,
        server: address.label,
      })
    }
    replica.refused(reason)
  }

  #refusalOf(replica: Replica, row: ReplicaRow, timeline: string): string | undefined {
    if (!row.standby || row.replayed === null) {
      // Told once: the search has its own answer to one that is on no later timeline.
      if (!row.standby && replica.asideBecause !== noStandby) this.#promoted()
      return noStandby
    }
    if (this.#systemId !== undefined && row.systemId !== this.#systemId) return 'it follows another primary'
    if (this.#timeline === undefined || timeline === this.#timeline) return undefined
    // Its log goes on where the primary's never went, or the other way round.
    if (timeline < this.#timeline) return 'it follows the primary of before a promotion'
    if (replica.asideBecause !== laterPrimary) this.#promoted()
    return laterPrimary
  }

  async #ask(server: Server, statement: Statement): Promise<unknown> {
    const deadline = server.context.clock.monotonicMs() + this.#settings.probeTimeoutMs
    return (await server.probe(statement, { deadline })).rows[0]
  }
}

const noStandby = 'it is no standby (any more)'
const laterPrimary = 'it follows a primary that was promoted later'

function later(timeline: string, known: string | undefined): string {
  return known !== undefined && known > timeline ? known : timeline
}

// Nothing that passes: the topology names the wrong server, or the wrong user.
const mistakes = new Set([
  'WRONG_REPLICA',
  'WRONG_SHARD',
  'IDENTITY_MISSING',
  'UNSUPPORTED_SERVER_VERSION',
  'AUTHENTICATION_FAILED',
  'DATABASE_NOT_FOUND',
])

function isMistaken(error: unknown): error is ShardwrightError {
  return error instanceof ShardwrightError && mistakes.has(error.code)
}

function reasonOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : String((error as Error)?.message)
}
