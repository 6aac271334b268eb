import { describe, expect, it } from 'vitest'
import { type Fleet, type FleetConnection, FleetLeader, ManualClock, noTelemetry } from '../../src/index.ts'

/** A fleet whose one lock is free or held, and whose connections may fall silent. */
class LockFleet implements Fleet {
  readonly topologyId = 'fleet'
  holder: object | undefined
  silent = false
  released = 0
  readonly shards = [{ id: 's1', address: 'here', connect: async () => this.#connection() }]

  #connection(): FleetConnection {
    const own = {}
    const connection = {
      shardId: 's1',
      script: async () => {},
      query: async (sql: string) => {
        if (this.silent) return await new Promise(() => {})
        if (!sql.includes('pg_try_advisory_lock')) return { rows: [] }
        const locked = this.holder === undefined || this.holder === own
        if (locked) this.holder = own
        return { rows: [{ locked }] }
      },
      release: async () => {
        this.released++
        if (this.holder === own) this.holder = undefined
      },
    }
    return connection as unknown as FleetConnection
  }
}

describe('FleetLeader', () => {
  it('leads until it resigns; the others follow', async () => {
    const fleet = new LockFleet()
    const [first, second] = [1, 2].map(() => new FleetLeader(fleet, { name: 'work', telemetry: noTelemetry }))
    expect([await first?.lead(), await second?.lead(), await first?.lead()]).toEqual([true, false, true])
    await first?.resign()
    expect([first?.leads, await second?.lead(), await first?.lead()]).toEqual([false, true, false])
    await second?.resign()
    expect(fleet.holder).toBeUndefined()
  })

  it('a connection that does not answer in time is given up, and the lock taken anew', async () => {
    const fleet = new LockFleet()
    const clock = new ManualClock()
    const leader = new FleetLeader(fleet, { name: 'work', telemetry: noTelemetry, clock })
    expect(await leader.lead()).toBe(true)
    fleet.silent = true
    const again = leader.lead()
    fleet.silent = false
    clock.advance(5000)
    expect(await again).toBe(true)
    expect(fleet.released).toBe(1)
  })

  it('a shard that cannot be reached is passed over with a warning', async () => {
    const good = new LockFleet()
    const warnings: string[] = []
    const broken = { id: 's0', address: 'nowhere', connect: async () => Promise.reject(new Error('refused')) }
    const telemetry = { ...noTelemetry, log: (_: string, message: string) => void warnings.push(message) }
    const leader = new FleetLeader(
      { topologyId: 'fleet', shards: [broken, ...good.shards] },
      { name: 'work', telemetry },
    )
    expect(await leader.lead()).toBe(true)
    expect(warnings).toEqual(['No leader lock on this shard: refused'])
  })
})
