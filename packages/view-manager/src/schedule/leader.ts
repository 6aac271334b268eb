import type { Fleet, FleetConnection, Telemetry } from '@shardwright/core'
import { tryLock } from '../sql/advisory-lock.ts'

/**
 * One leader among the processes of a service: whoever holds a session lock on the first shard that answers. It ends with
 * its connection, so a process that dies is followed by another at its next tick. Should two processes ever see different
 * first shards, both run: the lock of each view still keeps them apart.
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
    if (this.#connection) {
      const held = await this.#connection.query('select 1').then(
        () => true,
        () => false,
      )
      if (held) return true
      await this.resign()
    }
    for (const shard of this.#fleet.shards) {
      try {
        return await this.#tryOn(await shard.connect({ applicationName: 'shardwright-views-leader' }))
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
      locked = await tryLock(connection, `shardwright.views.leader:${this.#fleet.topologyId}`)
      if (locked) this.#connection = connection
      return locked
    } finally {
      if (!locked) await connection.release()
    }
  }
}
