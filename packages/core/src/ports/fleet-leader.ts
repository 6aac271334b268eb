import type { Clock } from './clock.ts'
import type { Fleet, FleetConnection } from './fleet.ts'
import { systemClock } from './system-clock.ts'
import type { Telemetry } from './telemetry.ts'

export interface FleetLeaderOptions {
  /** What is led, `partitions`: part of the lock's name and of the connection's. */
  readonly name: string
  readonly telemetry: Telemetry
  readonly clock?: Clock
}

/** How long the connection that holds the lock may take to answer, before it counts as gone. */
const probeTimeoutMs = 5000

/**
 * One leader among the processes of a service: whoever holds a session lock on the first shard that answers. It is held
 * until `resign`, so that the same process stays the leader, and ends with its connection, so that a process that dies is
 * followed by another when that one asks. Should two processes ever see different first shards, both lead: what they do
 * must take a lock of its own.
 *
 * @example
 * const leader = new FleetLeader(router.fleet, { name: 'partitions', telemetry: noTelemetry })
 * if (await leader.lead()) await work()
 */
export class FleetLeader {
  readonly #fleet: Fleet
  readonly #name: string
  readonly #telemetry: Telemetry
  readonly #clock: Clock
  #connection: FleetConnection | undefined

  constructor(fleet: Fleet, { name, telemetry, clock = systemClock }: FleetLeaderOptions) {
    this.#fleet = fleet
    this.#name = name
    this.#telemetry = telemetry
    this.#clock = clock
  }

  get leads(): boolean {
    return this.#connection !== undefined
  }

  /** True when this process leads now; never throws. */
  async lead(): Promise<boolean> {
    if (this.#connection && (await this.#answers(this.#connection))) return true
    await this.resign()
    for (const shard of this.#fleet.shards) {
      try {
        return await this.#tryOn(await shard.connect({ applicationName: `shardwright-${this.#name}-leader` }))
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        this.#telemetry.log('warn', `No leader lock on this shard: ${reason}`, { shard: shard.id })
      }
    }
    return false
  }

  /** Lets another process lead. Idempotent. */
  async resign(): Promise<void> {
    const connection = this.#connection
    this.#connection = undefined
    await connection?.release().catch(() => {
      // It was cut already, and the lock went with it.
    })
  }

  async #tryOn(connection: FleetConnection): Promise<boolean> {
    let locked = false
    try {
      // A service's pool may end idle sessions; this one is idle on purpose.
      await connection.script('set idle_session_timeout to 0')
      const { rows } = await connection.query<{ locked: boolean }>(
        'select pg_try_advisory_lock(hashtextextended($1, 7)) as locked',
        [`shardwright.${this.#name}.leader:${this.#fleet.topologyId}`],
      )
      locked = rows[0]?.locked === true
      if (locked) this.#connection = connection
      return locked
    } finally {
      if (!locked) await connection.release()
    }
  }

  /** A network that swallows packets gives no error for many minutes. */
  async #answers(connection: FleetConnection): Promise<boolean> {
    const stop = new AbortController()
    const answered = connection.query('select 1').then(
      () => true,
      () => false,
    )
    const late = this.#clock.sleep(probeTimeoutMs, { signal: stop.signal }).then(
      () => false,
      () => false,
    )
    try {
      return await Promise.race([answered, late])
    } finally {
      stop.abort()
    }
  }
}
