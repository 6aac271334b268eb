import type { Clock, FleetConnection, FleetShard, Telemetry } from '@shardwright/core'
import { destroySocket } from '../pool/stop-statement.ts'
import { changeChannel, dropLease, renewLease } from './store-tables.ts'
import { readStored, type StoredTopology } from './stored-topology.ts'

export interface ShardLeaseSettings {
  readonly topologyId: string
  readonly holder: string
  readonly description: string
  readonly leaseMs: number
  readonly heartbeatMs: number
  readonly clock: Clock
  readonly telemetry: Telemetry
  /** The oldest epoch that this process still works by. */
  readonly epoch: () => number
  readonly saw: (stored: StoredTopology) => void
}

interface RenewalRow {
  readonly epoch: string
  readonly document: unknown
  readonly held: boolean
}

// Clocks of two machines run at slightly different speeds; ours must end first.
const safety = 0.9

interface Instant {
  readonly monotonicMs: number
  readonly wallMs: number
}

const never: Instant = Object.freeze({ monotonicMs: Number.NEGATIVE_INFINITY, wallMs: Number.NEGATIVE_INFINITY })

/** The lease on one shard: a heartbeat on a connection of its own, which also listens for changes. */
export class ShardLease {
  readonly #shard: FleetShard
  readonly #settings: ShardLeaseSettings
  #connection: FleetConnection | undefined
  #validUntil = never
  #timer: NodeJS.Timeout | undefined
  #renewal: Promise<void> | undefined
  #again = false
  #released = false
  #reason = ''
  readonly #notified = () => void this.renew()

  constructor(shard: FleetShard, settings: ShardLeaseSettings) {
    this.#shard = shard
    this.#settings = settings
  }

  get valid(): boolean {
    const { clock } = this.#settings
    const { monotonicMs, wallMs } = this.#validUntil
    // The monotonic clock stands still while a machine sleeps, the wall clock can be set back: the earlier one counts.
    return clock.monotonicMs() < monotonicMs && clock.now() < wallMs
  }

  /** Why the last renewal failed, for a message. */
  get reason(): string {
    if (this.#released) return ' (it was released)'
    return this.#reason === '' ? '' : ` (${this.#reason})`
  }

  async start(): Promise<void> {
    this.#timer = setInterval(this.#notified, this.#settings.heartbeatMs)
    this.#timer.unref()
    await this.renew()
  }

  /** Renews now; a call while one is under way makes it run once more. */
  renew(): Promise<void> {
    if (this.#released) return Promise.resolve()
    if (this.#renewal !== undefined) {
      this.#again = true
      return this.#renewal
    }
    this.#renewal = this.#renewLoop().finally(() => {
      this.#renewal = undefined
    })
    return this.#renewal
  }

  async release(): Promise<void> {
    this.#released = true
    clearInterval(this.#timer)
    this.#validUntil = never
    await this.#renewal
    const connection = this.#connection
    if (connection === undefined) return
    // Without an answer the lease expires by itself.
    const { topologyId, holder } = this.#settings
    await this.#answered(connection, connection.query(dropLease, [topologyId, holder])).catch(ignore)
    await this.#disconnect()
  }

  /**
   * A server that is frozen, or a host that is gone without a word, answers nothing for as long as TCP hopes: the
   * connection is cut when the lease would be over, and the next renewal opens another one.
   */
  async #answered<T>(connection: FleetConnection, query: Promise<T>): Promise<T> {
    const { clock, leaseMs } = this.#settings
    const answered = new AbortController()
    clock.sleep(leaseMs, { signal: answered.signal }).then(
      () => destroySocket(connection),
      () => {},
    )
    try {
      return await query
    } finally {
      answered.abort()
    }
  }

  async #renewLoop(): Promise<void> {
    do {
      this.#again = false
      try {
        await this.#renewOnce()
      } catch (error) {
        this.#reason = (error as { code?: string }).code ?? (error as Error).message
        this.#settings.telemetry.log('warn', `topology lease on ${this.#shard.id} not renewed: ${this.#reason}`, {
          shard: this.#shard.id,
        })
        await this.#disconnect()
      }
    } while (this.#again && !this.#released)
  }

  async #renewOnce(): Promise<void> {
    const { topologyId, holder, epoch, leaseMs, description, clock } = this.#settings
    const connection = this.#connection ?? (await this.#connect())
    const mine = epoch()
    // Counted from before it was sent: the server counts from later, so that ours ends first.
    const validMs = leaseMs * safety
    const validUntil = { monotonicMs: clock.monotonicMs() + validMs, wallMs: clock.now() + validMs }
    const renewal = connection.query<RenewalRow>(renewLease, [topologyId, holder, mine, leaseMs, description])
    const { rows } = await this.#answered(connection, renewal)
    const [row] = rows
    if (row === undefined) throw new Error('no topology is published there')
    if (row.held) {
      if (!this.#released) this.#validUntil = validUntil
      this.#reason = ''
    } else {
      // Who changes the topology does not wait for this process any more.
      this.#validUntil = never
      this.#reason = `epoch ${row.epoch} is current there`
    }
    if (Number(row.epoch) > mine) this.#settings.saw(readStored(row.document))
  }

  async #connect(): Promise<FleetConnection> {
    const connection = await this.#shard.connect({ applicationName: 'shardwright topology lease' })
    connection.client.on('end', () => {
      if (this.#connection === connection) this.#connection = undefined
    })
    connection.client.on('notification', this.#notified)
    try {
      await this.#answered(connection, connection.query(`listen ${changeChannel}`))
    } catch (error) {
      connection.release().catch(ignore)
      throw error
    }
    this.#connection = connection
    return connection
  }

  async #disconnect(): Promise<void> {
    const connection = this.#connection
    this.#connection = undefined
    await connection?.release().catch(ignore)
  }
}

function ignore(): void {}
