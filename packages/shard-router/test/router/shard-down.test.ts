// One shard that is down costs the others nothing, whichever it is, and also when the router starts.
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import type { ShardRouter } from '@shardwright/shard-router'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ddl, festivalIds, routerOf, type schema } from './festival-fixture.ts'

const unreachable = { code: expect.stringMatching(/^(SHARD_UNREACHABLE|CIRCUIT_OPEN)$/) }

type Router = ShardRouter<typeof schema>

const shardOf = (router: Router, festival: string) =>
  router.shardsOf(router.db.selectFrom('wallets').selectAll().where('festival_id', '=', festival).compile())[0]

describe('the first shard is down', () => {
  let cluster: LocalCluster
  let away: readonly string[]
  let others: readonly string[]

  beforeAll(async () => {
    // A server for each: one of them dies.
    cluster = await startLocalCluster({ shards: 3 })
    for (const shard of cluster.fleet().shards) {
      await using connection = await shard.connect()
      await connection.script(ddl)
    }
    await using router = routerOf(cluster)
    await router.ready()
    const wallets = festivalIds.map((f, id) => ({ festival_id: f, id, user_id: id, balance: '1', note: `note ${id}` }))
    await router.db.insertInto('wallets').values(wallets).execute()
    await router.db
      .insertInto('festivals')
      .values([{ name: 'Nordlicht' }, { name: 'Fjord' }])
      .execute()
    away = festivalIds.filter((f) => shardOf(router, f) === 'shard-1')
    others = festivalIds.filter((f) => !away.includes(f))
  })
  afterAll(() => cluster.stop())

  const worksWithoutIt = async (router: Router) => {
    const { db } = router
    for (const f of others) {
      expect(await db.selectFrom('wallets').select('id').where('festival_id', '=', f).execute()).toHaveLength(1)
    }
    // Every shard has the reference rows.
    for (let turn = 0; turn < 6; turn++) {
      expect(await db.selectFrom('festivals').selectAll().execute()).toHaveLength(2)
    }
    const names: string[] = []
    for await (const { name } of db.selectFrom('festivals').select('name').orderBy('name').stream()) names.push(name)
    expect(names).toEqual(['Fjord', 'Nordlicht'])
    // Combined by PostgreSQL, with one moment, with defaults: on a shard that is asked anyway.
    const among = db.selectFrom('wallets').where('festival_id', 'in', others)
    const { joined } = await among
      .select(({ fn }) => fn.agg<string>('string_agg', ['note', (eb) => eb.val(',')]).as('joined'))
      .executeTakeFirstOrThrow()
    expect(joined.split(',')).toHaveLength(others.length)
    const young = await among
      .select('id')
      .where('created_at', '<=', (eb) => eb.fn<Date>('now'))
      .execute()
    expect(young).toHaveLength(others.length)
    const added = others.map((f) => ({ festival_id: f, id: 1000, user_id: 1, balance: '0' }))
    const inserted = await db.insertInto('wallets').values(added).returning('created_at').execute()
    expect(new Set(inserted.map((row) => row.created_at.getTime())).size).toBe(1)
    await db.deleteFrom('wallets').where('festival_id', 'in', others).where('id', '=', 1000).execute()
    // Partial results, whatever merges them.
    const { rows, missing } = await router.collect(
      router
        .fanOut()
        .selectFrom('wallets')
        .select(({ fn }) => fn.agg<string>('string_agg', ['note', (eb) => eb.val(',')]).as('joined')),
      { partial: true },
    )
    expect(missing.map(({ shard }) => shard)).toEqual(['shard-1'])
    expect((rows[0] as { joined: string }).joined.split(',')).toHaveLength(others.length)
    const lost = db
      .selectFrom('wallets')
      .select('id')
      .where('festival_id', '=', away[0] as string)
    await expect(lost.execute()).rejects.toMatchObject(unreachable)
    await expect(db.selectFrom('audit').selectAll().execute()).rejects.toMatchObject(unreachable)
  }
  const comesBack = async (router: Router) => {
    await expect
      .poll(
        () =>
          router.db
            .selectFrom('wallets')
            .select('id')
            .where('festival_id', '=', away[0] as string)
            .execute()
            .then((rows) => rows.length)
            .catch((error: { code: string }) => error.code),
        { timeout: 30_000 },
      )
      .toBe(1)
    await expect
      .poll(
        () =>
          router.db
            .selectFrom('audit')
            .selectAll()
            .execute()
            .catch(() => 'not yet'),
        { timeout: 20_000 },
      )
      .toEqual([])
    await router.ready()
  }

  it('while a router runs, and when one starts', { timeout: 120_000 }, async () => {
    await using running = routerOf(cluster)
    await running.ready()
    const [first] = cluster.shards
    await first!.server.kill()
    await using started = routerOf(cluster)
    await expect(started.ready()).rejects.toMatchObject({ code: 'SHARD_UNREACHABLE' })
    await using unasked = routerOf(cluster)
    try {
      await worksWithoutIt(running)
      await worksWithoutIt(started)
      await worksWithoutIt(unasked)
    } finally {
      await first!.server.start()
    }
    for (const router of [running, started, unasked]) await comesBack(router)
  })

  it('and is looked at when it is back, before anything runs there', { timeout: 120_000 }, async () => {
    const [first] = cluster.shards
    await first!.server.kill()
    await using router = routerOf(cluster)
    const read = () =>
      router.db
        .selectFrom('wallets')
        .select('id')
        .where('festival_id', '=', away[0] as string)
        .execute()
    await expect(read()).rejects.toMatchObject(unreachable)
    await first!.server.start()
    const shard = cluster.fleet().shards[0]!
    {
      await using connection = await shard.connect()
      await connection.script('alter table wallets rename column festival_id to fid')
    }
    const codeOf = () =>
      read().then(
        () => 'read',
        (error: { code: string }) => error.code,
      )
    await expect.poll(codeOf, { timeout: 20_000 }).toBe('CATALOG_MISMATCH')
    expect(
      await router.db
        .selectFrom('wallets')
        .select('id')
        .where('festival_id', '=', others[0] as string)
        .execute(),
    ).toHaveLength(1)
    {
      await using connection = await shard.connect()
      await connection.script('alter table wallets rename column fid to festival_id')
    }
    await expect.poll(codeOf, { timeout: 20_000 }).toBe('read')
  })

  it('and when it is frozen', { timeout: 120_000 }, async () => {
    const [first] = cluster.shards
    await first!.server.pause()
    try {
      await using router = routerOf(cluster, { pool: { connectTimeoutMs: 1_000 } })
      expect(
        await router.db
          .selectFrom('wallets')
          .select('id')
          .where('festival_id', '=', others[0] as string)
          .execute(),
      ).toHaveLength(1)
      await worksWithoutIt(router)
    } finally {
      await first!.server.resume()
    }
  })
})
