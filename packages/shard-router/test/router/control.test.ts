import { defineTopology } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { MergeError, type ShardRouter } from '@shardwright/shard-router'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ddl, festivalIds, routerOf, type schema } from './festival-fixture.ts'

let cluster: LocalCluster
let router: ShardRouter<typeof schema>

beforeAll(async () => {
  cluster = await startLocalCluster({ shards: 3 })
  for (const shard of cluster.fleet().shards) {
    await using connection = await shard.connect()
    await connection.script(ddl)
  }
  router = routerOf(cluster)
  await router.db
    .insertInto('wallets')
    .values(festivalIds.map((festival_id, id) => ({ festival_id, id, user_id: id, balance: '1' })))
    .execute()
})

afterAll(async () => {
  await router?.close()
  await cluster?.stop()
})

describe('limits', () => {
  it('names the part whose rows would have to travel', async () => {
    const query = router
      .fanOut({ maxRows: 5 })
      .selectFrom('wallets')
      .select(({ fn }) =>
        fn
          .agg<number>('percentile_cont', [sql.lit(0.5)])
          .withinGroupOrderBy('id')
          .as('median'),
      )
    const error = await query.execute().catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(MergeError)
    expect(error).toMatchObject({ code: 'MERGE_ROWS_EXCEEDED', details: { maxRows: 5, rows: 12 } })
  })

  it('a part of many rows is refused, and its rows are not kept', async () => {
    const before = process.memoryUsage().heapUsed
    const query = router
      .fanOut({ maxRows: 100 })
      .selectFrom(['wallets', sql<{ x: number }>`generate_series(1, 200000)`.as('g')])
      .select(({ fn }) => fn.agg<number>('mode').withinGroupOrderBy('id').as('mode'))
    await expect(query.execute()).rejects.toMatchObject({ code: 'MERGE_ROWS_EXCEEDED', details: { rows: 2_400_000 } })
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(200 * 2 ** 20)
  })

  it('keeps to the deadline on every shard', async () => {
    const slow = router
      .fanOut({ deadlineMs: 300 })
      .selectFrom(['wallets', sql<{ x: number }>`generate_series(1, 2000000000)`.as('g')])
      .select(({ fn }) => fn.countAll().as('n'))
    await expect(slow.execute()).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' })
    const keyed = router.onShard('shard-1')
    const started = performance.now()
    await expect(
      sql`select pg_sleep(20)`.execute(keyed, {
        signal: AbortSignal.timeout(300),
        inflightQueryAbortStrategy: 'cancel query',
      }),
    ).rejects.toThrow()
    expect(performance.now() - started).toBeLessThan(15_000)
    const stillRunning = async () => {
      const { rows } = await sql<{ n: string }>`select count(*) as n from pg_stat_activity
        where query like 'select pg_sleep(20)%' and state = 'active' and pid <> pg_backend_pid()`.execute(keyed)
      return rows[0]?.n
    }
    await expect.poll(stillRunning, { timeout: 10_000 }).toBe('0')
  })
})

describe('abort strategies', () => {
  for (const inflightQueryAbortStrategy of ['ignore query', 'cancel query', 'kill session'] as const) {
    it(`${inflightQueryAbortStrategy}: the caller hears at once, and the router goes on`, async () => {
      const controller = new AbortController()
      const query = sql`select pg_sleep(3)`.execute(router.onShard('shard-2'), {
        signal: controller.signal,
        inflightQueryAbortStrategy,
      })
      setTimeout(() => controller.abort(new Error('enough')), 100)
      await expect(query).rejects.toThrow('enough')
      expect(await router.db.selectFrom('wallets').select('id').where('festival_id', '=', 'f1').execute()).toHaveLength(
        1,
      )
    })
  }
})

describe('topology', () => {
  it('replaces the topology under the feet of nobody', async () => {
    const current = router.topology
    const input = cluster.topologyInput()
    const next = defineTopology({
      hash: 'postgres',
      epoch: current.epoch + 1,
      ...input,
      pins: [{ family: 'festival_id', key: 'pinned', shard: 'shard-3' }],
    })
    await router.replaceTopology(next)
    const query = router.db.selectFrom('wallets').selectAll().where('festival_id', '=', 'pinned').compile()
    expect(router.shardsOf(query)).toEqual(['shard-3'])
    await expect(router.replaceTopology(next)).rejects.toMatchObject({ code: 'TOPOLOGY_CONFLICT' })
    expect(await router.db.selectFrom('wallets').select('id').where('festival_id', '=', 'f1').execute()).toHaveLength(1)
  })
})

describe('a topology that loses a shard', () => {
  const without = (id: string, epoch: number, more: { id: string; primary: string }[] = []) => {
    const { topology } = router
    const shards = [...cluster.topologyInput().shards.filter((shard) => shard.id !== id), ...more]
    const ids = topology.bucketMap.map((index) => topology.shards[index]!.id)
    const bucketMap = ids.map((shard) => (shard === id ? 'shard-1' : shard))
    return defineTopology({ hash: 'postgres', buckets: topology.buckets, epoch, shards, bucketMap })
  }
  const counts = async () => {
    const found = await Promise.all(
      festivalIds.map((f) => router.db.selectFrom('wallets').select('id').where('festival_id', '=', f).execute()),
    )
    return found.reduce((sum, rows) => sum + rows.length, 0)
  }

  it('is not taken, and costs nothing, when a shard of it cannot be reached', async () => {
    const { epoch } = router.topology
    const nowhere = { id: 'shard-9', primary: 'postgres://app:app@127.0.0.1:1/none' }
    const failing = router.replaceTopology(without('shard-2', epoch + 1, [nowhere]))
    const during = Array.from({ length: 20 }, counts)
    await expect(failing).rejects.toMatchObject({ code: 'SHARD_UNREACHABLE' })
    expect(await Promise.all(during)).toEqual(Array(20).fill(festivalIds.length))
    expect(await counts()).toBe(festivalIds.length)
    expect(router.topology.epoch).toBe(epoch)
  })

  it('fails no statement and no transaction that is under way', async () => {
    const { epoch } = router.topology
    let working = true
    const failures: unknown[] = []
    const reader = async () => {
      while (working) await counts().catch((error: unknown) => failures.push(error))
    }
    const readers = [reader(), reader(), reader()]
    const transactions = festivalIds.map((f) =>
      router
        .for({ festival_id: f })
        .transaction()
        .execute(async (trx) => {
          await trx.selectFrom('wallets').select('id').execute()
          await new Promise((resolve) => setTimeout(resolve, 300))
          await trx.updateTable('wallets').set({ note: 'kept' }).execute()
        }),
    )
    await new Promise((resolve) => setTimeout(resolve, 100))
    const [first, second] = await Promise.allSettled([
      router.replaceTopology(without('shard-2', epoch + 1)),
      router.replaceTopology(without('shard-3', epoch + 1)),
    ])
    // Both were made of the same epoch: the second does not follow from what is there now.
    expect([first.status, second.status]).toEqual(['fulfilled', 'rejected'])
    await Promise.all(transactions)
    working = false
    await Promise.all(readers)
    expect(failures).toEqual([])
    expect(router.topology.shards.map((shard) => shard.id)).toEqual(['shard-1', 'shard-3'])
    await router.replaceTopology(defineTopology({ hash: 'postgres', epoch: epoch + 2, ...cluster.topologyInput() }))
    const noted = await router.fanOut().selectFrom('wallets').select('note').execute()
    expect(noted).toEqual(festivalIds.map(() => ({ note: 'kept' })))
  })
})

describe('a shard down', () => {
  it('is an error, or a missing shard when asked for; all down is an error', async () => {
    await cluster.shards[2]?.server.kill()
    const all = router.fanOut().selectFrom('wallets').select('id')
    await expect(all.execute()).rejects.toThrow()
    const { rows, missing } = await router.collect(all, { partial: true })
    expect(missing.map((own) => own.shard)).toEqual(['shard-3'])
    expect(rows.length).toBeLessThan(12)
    const counted = await router.collect(
      router
        .fanOut()
        .selectFrom('wallets')
        .select(({ fn }) => fn.countAll<string>().as('n')),
      { partial: true },
    )
    expect(counted.rows).toEqual([{ n: String(rows.length) }])
    await cluster.shards[0]?.server.kill()
    await cluster.shards[1]?.server.kill()
    await expect(router.collect(all, { partial: true })).rejects.toMatchObject({ code: 'SHARDS_MISSING' })
  })
})
