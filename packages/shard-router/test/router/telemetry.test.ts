// What a router tells of its statements: how they went, and which span is inside of which.
import { AsyncLocalStorage } from 'node:async_hooks'
import {
  defineSchema,
  defineTopology,
  noTelemetry,
  type ShardKey,
  sharded,
  type TelemetryAttributes,
} from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { createShardRouter } from '@shardwright/shard-router'
import { openTelemetry } from '@shardwright/shard-router/opentelemetry'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

interface Database {
  orders: { user_id: ShardKey<number>; total: number }
}
const schema = defineSchema<Database>()({ tables: { orders: sharded('user_id') } })

describe('telemetry of a router', () => {
  let cluster: LocalCluster
  const topology = () => defineTopology({ id: 'told', hash: 'postgres', ...cluster.topologyInput() })

  beforeAll(async () => {
    cluster = await startLocalCluster({ shards: 2, databasePerShard: true })
    for (const shard of cluster.fleet().shards) {
      await using connection = await shard.connect()
      await connection.script('create table orders (user_id int not null, total int not null)')
    }
  })
  afterAll(() => cluster.stop())

  it('counts statements by the way they went, and refusals by their code', async () => {
    const counts = new Map<string, number>()
    const telemetry = {
      ...noTelemetry,
      count: (name: string, value: number, attributes: TelemetryAttributes = {}) => {
        const key = `${name} ${attributes.route ?? attributes.code}`
        counts.set(key, (counts.get(key) ?? 0) + value)
      },
    }
    await using router = createShardRouter({ schema, topology: topology(), telemetry })
    const values = Array.from({ length: 20 }, (_, turn) => ({ user_id: turn, total: turn }))
    await router.db.insertInto('orders').values(values).execute()
    await router.db.insertInto('orders').values(values[0]!).execute()
    await router.db.selectFrom('orders').selectAll().where('user_id', '=', 1).execute()
    await router.db.selectFrom('orders').selectAll().where('user_id', 'in', []).execute()
    await router.fanOut().selectFrom('orders').selectAll().execute()
    await router.fanOut().updateTable('orders').set({ total: 1 }).execute()
    await expect(router.db.selectFrom('orders').selectAll().execute()).rejects.toThrow()
    expect(Object.fromEntries(counts)).toEqual({
      'shardwright.router.statements split': 1,
      'shardwright.router.statements one': 2,
      'shardwright.router.statements none': 1,
      'shardwright.router.statements fan-out': 1,
      'shardwright.router.statements broadcast': 1,
      'shardwright.router.refusals SHARD_KEY_REQUIRED': 1,
    })
  })

  it('has the statements of a transaction, and the parts of a fan-out, inside of one span', async () => {
    const { api, tracer, spans, within } = tracing()
    await using router = createShardRouter({ schema, topology: topology(), telemetry: openTelemetry({ tracer, api }) })
    await router.ready()
    spans.length = 0
    await within('request', async () => {
      await Promise.all([
        router.fanOut().selectFrom('orders').select('total').execute(),
        router.db.transaction().execute(async (trx) => {
          await trx.insertInto('orders').values({ user_id: 5, total: 1 }).execute()
          await within('reckoning', () => trx.selectFrom('orders').selectAll().where('user_id', '=', 5).execute())
        }),
        router.db.selectFrom('orders').selectAll().where('user_id', '=', 1).execute(),
      ])
    })
    const failure = new Error('no')
    await router.db
      .transaction()
      .execute(async (trx) => {
        await trx.selectFrom('orders').selectAll().where('user_id', '=', 5).execute()
        throw failure
      })
      .catch(() => {})
    expect(spans.every((span) => span.ended === 1)).toBe(true)
    const tree = spans.map(({ name, kind, parent, attributes }) => {
      const shard = attributes['shardwright.shard'] === undefined ? '' : ' on a shard'
      return `${parent?.name ?? 'nothing'} > ${name}${shard} (${kind})`
    })
    expect(tree.toSorted()).toEqual(
      [
        'nothing > request (0)',
        'request > SELECT orders (0)',
        'SELECT orders > SELECT orders on a shard (2)',
        'SELECT orders > SELECT orders on a shard (2)',
        'request > transaction (0)',
        'transaction > INSERT orders on a shard (2)',
        'transaction > SELECT orders on a shard (2)',
        'transaction > COMMIT on a shard (2)',
        'request > reckoning (0)',
        'request > SELECT orders on a shard (2)',
        'nothing > transaction (0)',
        'transaction > SELECT orders on a shard (2)',
        'transaction > ROLLBACK on a shard (2)',
      ].toSorted(),
    )
  })

  it('has streams there too, without what their reader does, and counts those that are refused', async () => {
    const { api, tracer, spans, within } = tracing()
    const counts = new Map<unknown, number>()
    const telemetry = openTelemetry({ tracer, api })
    await using router = createShardRouter({
      schema,
      topology: topology(),
      telemetry: {
        ...telemetry,
        count: (name, value, attributes) =>
          void counts.set(`${name} ${attributes?.code}`, (counts.get(`${name} ${attributes?.code}`) ?? 0) + value),
      },
    })
    await router.ready()
    spans.length = 0
    for await (const _ of router.fanOut().selectFrom('orders').select('total').stream(1))
      await within('reading', async () => {})
    await router.db
      .transaction()
      .execute(async (trx) => {
        await trx
          .insertInto('orders')
          .values([1, 2].map((total) => ({ user_id: 5, total })))
          .execute()
        for await (const _ of trx.selectFrom('orders').selectAll().where('user_id', '=', 5).stream(1)) break
        throw new Error('no')
      })
      .catch(() => {})
    expect(spans.every((span) => span.ended === 1)).toBe(true)
    const names = new Set(spans.map(({ name, parent }) => `${parent?.name ?? 'nothing'} > ${name}`))
    expect([...names].toSorted()).toEqual(
      [
        'nothing > SELECT orders',
        'SELECT orders > SELECT orders',
        'nothing > reading',
        'nothing > transaction',
        'transaction > INSERT orders',
        'transaction > SELECT orders',
        'transaction > ROLLBACK',
      ].toSorted(),
    )
    await expect(
      router.db.selectFrom('orders').selectAll().stream(1)[Symbol.asyncIterator]().next(),
    ).rejects.toMatchObject({ code: 'SHARD_KEY_REQUIRED' })
    expect(counts.get('shardwright.router.refusals SHARD_KEY_REQUIRED')).toBe(1)
    // What LIMIT leaves unread on the shards is not a reader that went away: the one above that breaks is.
    for await (const _ of router.fanOut().selectFrom('orders').select('total').orderBy('total').limit(1).stream(1));
    expect(counts.get('shardwright.router.streams_ended_early undefined')).toBe(1)
  })

  it('has a statement that is run again inside of the span of its own caller', async () => {
    const { api, tracer, spans, within } = tracing()
    await using router = createShardRouter({ schema, topology: topology(), telemetry: openTelemetry({ tracer, api }) })
    const first = () => router.db.selectFrom('orders').selectAll().where('user_id', '=', 1).execute()
    // Whoever opens a connection is not whose statements are on it.
    await within('opener', first)
    await router.db.insertInto('orders').values({ user_id: 77, total: 1 }).execute()
    const update = (db = router.db) => db.updateTable('orders').set({ total: 2 }).where('user_id', '=', 77).execute()
    await update()
    const holder = await router.startTransaction().execute()
    await update(holder as never)
    spans.length = 0
    const waiting = within('caller', () => update())
    await expect.poll(() => spans.filter((span) => span.attributes['error.type'] === '55P03').length).toBe(1)
    await holder.commit().execute()
    await waiting
    const updates = spans.filter(({ name }) => name === 'UPDATE orders')
    expect(updates.map(({ parent }) => parent?.name)).toEqual(['caller', 'caller'])
  })
})

interface Span {
  readonly name: string
  readonly kind: number
  readonly parent: Span | undefined
  readonly attributes: Record<string, unknown>
  ended: number
}

/** OpenTelemetry's API over AsyncLocalStorage, as its SDK for Node has it: a context is the span in it. */
function tracing() {
  const active = new AsyncLocalStorage<Span | undefined>()
  const spans: Span[] = []
  const begin = (name: string, kind: number, attributes: TelemetryAttributes = {}) => {
    const span: Span = { name, kind, parent: active.getStore(), attributes: { ...attributes }, ended: 0 }
    spans.push(span)
    const handle = {
      span,
      setAttributes: (more: TelemetryAttributes) => Object.assign(span.attributes, more),
      setStatus: () => {},
      end: () => {
        span.ended++
      },
    }
    return handle
  }
  return {
    spans,
    tracer: {
      startSpan: (name: string, options: { kind?: number; attributes?: TelemetryAttributes } = {}) =>
        begin(name, options.kind ?? 0, options.attributes),
    },
    api: {
      context: {
        active: () => active.getStore(),
        with: <T>(context: Span | undefined, work: () => T) => active.run(context, work),
      },
      trace: { setSpan: (_: Span | undefined, handle: object) => (handle as { span: Span }).span },
    },
    async within(name: string, work: () => Promise<unknown>): Promise<void> {
      const { span, end } = begin(name, 0)
      await active.run(span, work)
      end()
    },
  }
}
