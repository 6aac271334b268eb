import type { Fleet, FleetConnection, Telemetry } from '@shardwright/core'

/**
 * One leader among the processes of a service: whoever holds a session lock on the first shard that answers. It is held
 * between runs, so that the same process stays the leader, and ends with its connection, so that a process that dies is
 * followed by another at the next tick. Should two processes ever see different first shards, both run: the lock of each
 * table still keeps them apart.
 */
export class Leader {
  readonly #fleet: Fleet
  readonly #telemetry: Telemetry
  #connection: FleetConnection | undefined

  constructor(fleet: Fleet, telemetry: Telemetry) {
    this.#fleet = fleet
    this.#telemetry = telemetry
  }

  get leads(): boolean {
    return this.#connection !== undefined
  }

  /** True when this process leads now. */
  async lead(): Promise<boolean> {
    if (this.#connection && (await this.#stillLeads(this.#connection))) return true
    await this.resign()
    for (const shard of this.#fleet.shards) {
      try {
        return await this.#tryOn(await shard.connect({ applicationName: 'shardwright-partitions-leader' }))
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        this.#telemetry.log('warn', `No leader lock on this shard: ${reason}`, { shard: shard.id })
      }
    }
    return false
  }

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
        [`shardwright.partitions.leader:${this.#fleet.topologyId}`],
      )
      locked = rows[0]?.locked === true
      if (locked) this.#connection = connection
      return locked
    } finally {
      if (!locked) await connection.release()
    }
  }

  async #stillLeads(connection: FleetConnection): Promise<boolean> {
    return await connection.query('select 1').then(
      () => true,
      () => false,
    )
  }
}
