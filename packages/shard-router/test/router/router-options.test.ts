import { defineSchema, type ShardKey, sharded } from '@shardwright/core'
import { createShardRouter, type ShardRouterOptions } from '@shardwright/shard-router'
import { prometheus } from '@shardwright/shard-router/prometheus'
import { describe, expect, it } from 'vitest'

const schema = defineSchema<{ wallets: { festival_id: ShardKey<string> } }>()({
  tables: { wallets: sharded('festival_id') },
})
const topology = { hash: 'postgres', shards: [{ id: 'a', primary: 'postgres://app@127.0.0.1:1/a' }] } as const

// As a caller without types gives them.
const create = (options: unknown) => createShardRouter(options as ShardRouterOptions<typeof schema>)

describe('options that are not usable are told by name', () => {
  it.each([
    ['none at all', undefined, 'expected object'],
    ['no topology', { schema }, 'topology'],
    ['no schema', { topology }, 'schema'],
    ['tables instead of a schema', { schema: { tables: {} }, topology }, 'what defineSchema returns'],
    ['a misspelt option', { schema, topology, pools: {} }, 'pools'],
    ['a telemetry that is none', { schema, topology, telemetry: {} }, 'count, record, gauge, span and log'],
    ['a number out of range', { schema, topology, planCacheSize: 0 }, 'planCacheSize'],
  ])('%s', (_, options, told) => {
    expect(() => create(options)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTIONS', message: expect.stringContaining(told) }),
    )
  })

  const noKeys: readonly unknown[] = [null, undefined, {}, { constructor: 'f' }, { festival_id: null }]
  it.each(noKeys)('router.for(%o)', async (key) => {
    await using router = create({ schema, topology })
    expect(() => router.for(key as { festival_id: string })).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTIONS', hint: expect.any(String) }),
    )
  })

  it('prometheus() without a registry', () => {
    expect(() => prometheus({} as never)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTIONS', hint: expect.stringContaining('client.register') }),
    )
  })

  it('a topology with a fault is told by the topology itself', () => {
    expect(() => create({ schema, topology: { shards: [] } })).toThrow(
      expect.objectContaining({ code: 'INVALID_TOPOLOGY' }),
    )
  })

  it('what is left out, also as undefined, takes its default', async () => {
    const router = createShardRouter({ schema, topology, planCacheSize: 1, plugins: [] })
    await router.close()
    await create({ schema, topology, planCacheSize: undefined, clock: undefined }).close()
    const none = { plugins: undefined, log: undefined, pool: undefined, lease: undefined, atomic: undefined }
    const nor = { recovery: undefined, telemetry: undefined, keyObserver: undefined, clock: undefined }
    await using own = createShardRouter({ schema, topology, ...none, ...nor, planCacheSize: undefined })
    own.fanOut({ maxRows: undefined, concurrency: undefined, deadlineMs: undefined })
    const query = own.db.selectFrom('wallets').selectAll()
    const explained = own.explain(query, { fanOut: undefined, for: undefined, costs: undefined, analyze: undefined })
    await expect(explained).rejects.toMatchObject({ code: 'SHARD_UNREACHABLE' })
  })
})
