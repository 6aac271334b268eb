import { inspect } from 'node:util'
import { citusNodeServer, defineTopology, fleetOf, isCitus } from '@shardwright/core'
import pg from 'pg'
import { describe, expect, it } from 'vitest'

const coordinator = 'postgres://app:s%2Fcret@coordinator:5432/festival?sslmode=prefer'

describe('a Citus topology', () => {
  it('has its defaults, is frozen and shows no password', () => {
    const topology = defineTopology({ engine: 'citus', coordinator, nodes: { 'worker-1:5432': coordinator } })
    expect(topology).toMatchObject({ engine: 'citus', id: 'default', queryFrom: 'coordinator', refreshMs: 10_000 })
    expect(isCitus(topology)).toBe(true)
    expect(Object.isFrozen(topology)).toBe(true)
    expect(inspect(topology, { depth: 9 }) + JSON.stringify(topology)).not.toContain('cret')
  })

  it('is told apart from hash shards', () => {
    const hash = defineTopology({ engine: 'hash', hash: 'postgres', shards: [{ id: 'a', primary: coordinator }] })
    expect(isCitus(hash)).toBe(false)
    expect(hash).not.toHaveProperty('engine')
  })

  it.each([
    ['no coordinator', { engine: 'citus' }],
    ['shards', { engine: 'citus', coordinator, shards: [] }],
    ['a node without a port', { engine: 'citus', coordinator, nodes: { 'worker-1': coordinator } }],
    ['a refresh without pause', { engine: 'citus', coordinator, refreshMs: 0 }],
    ['another engine', { engine: 'vitess', coordinator }],
  ])('refuses %s', (_, input) => {
    expect(() => defineTopology(input as never)).toThrow(expect.objectContaining({ code: 'INVALID_TOPOLOGY' }))
  })

  it('refuses a broken address without a word of it', () => {
    const nodes = { 'worker-1:5432': 'postgres://app:sec/ret@host/db' }
    const error = catching(() => defineTopology({ engine: 'citus', coordinator, nodes }))
    expect(error).toMatchObject({ code: 'INVALID_SHARD_URL' })
    expect(inspect(error)).not.toContain('sec/')
  })

  it('is a fleet of one', () => {
    const fleet = fleetOf(defineTopology({ engine: 'citus', id: 'f', coordinator }), pg.Client as never)
    expect(fleet.topologyId).toBe('f')
    expect(fleet.shards.map(({ id, address }) => [id, address])).toEqual([['coordinator', 'coordinator:5432/festival']])
  })
})

describe('the server of a node', () => {
  const worker = { groupId: 1, role: 'primary', host: 'worker-1', port: 5433 } as const

  it("is reached by the coordinator's URL with its own host and port", () => {
    const topology = defineTopology({ engine: 'citus', coordinator })
    expect(citusNodeServer(topology, worker).url).toBe('postgres://app:s%2Fcret@worker-1:5433/festival?sslmode=prefer')
    expect(citusNodeServer(topology, { ...worker, host: '::1' }).address).toBe('127.0.0.1:5433/festival')
  })

  it('is past the pooler, and is one of several hosts', () => {
    const server = {
      url: 'postgres://app@pooler:6432/festival',
      directUrl: 'postgres://app@a:5432,b:5432/festival?host=/run/x',
      pooler: 'pgbouncer-transaction',
    } as const
    const topology = defineTopology({ engine: 'citus', coordinator: server })
    expect(citusNodeServer(topology, worker)).toMatchObject({
      url: 'postgres://app@worker-1:5433/festival',
      pooler: 'direct',
    })
  })

  it('is the one that the topology names', () => {
    const topology = defineTopology({
      engine: 'citus',
      coordinator,
      nodes: { 'worker-1:5433': 'postgres://app@127.0.0.1:32768/festival' },
    })
    expect(citusNodeServer(topology, worker).address).toBe('127.0.0.1:32768/festival')
  })

  it('is the coordinator itself for group 0', () => {
    const topology = defineTopology({ engine: 'citus', coordinator })
    expect(citusNodeServer(topology, { ...worker, groupId: 0, host: 'localhost' })).toBe(topology.coordinator)
  })
})

function catching(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}
