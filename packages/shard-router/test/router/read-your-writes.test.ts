import { currentReadContext, ReadContext, runInReadContext } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { type ReadPreference, runWithReads, type ShardRouter } from '@shardwright/shard-router'
import { type Kysely, sql } from 'kysely'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Database, ddl, festivalIds, routerOf, type schema } from './festival-fixture.ts'

// Replay is paused: a replica never shows what is written here, so that only a token keeps a read from it.
let cluster: LocalCluster
let router: ShardRouter<typeof schema>

beforeAll(async () => {
  cluster = await startLocalCluster({ shards: 2, replicasPerShard: 1 })
  for (const shard of cluster.fleet().shards) {
    await using connection = await shard.connect()
    await connection.script(ddl)
  }
  router = routerOf(cluster, { pool: { replicas: { reads: 'replica', tokenWaitMs: 0 } } })
  await router.db
    .insertInto('wallets')
    .values(festivalIds.map((festival_id, id) => ({ festival_id, id, user_id: id, balance: '1', note: 'before' })))
    .execute()
  for (const { replicas } of cluster.shards) for (const replica of replicas) await replica.caughtUp()
  await onReplicas('select pg_wal_replay_pause()')
})

afterAll(async () => {
  await router?.close()
  await cluster?.stop()
})

async function onReplicas(text: string): Promise<void> {
  for (const { replicas } of cluster.shards) {
    for (const { url } of replicas) {
      const client = new Client(url)
      await client.connect()
      await client.query(text)
      await client.end()
    }
  }
}

const notes = (db: Kysely<Database> = router.db) =>
  db
    .selectFrom('wallets')
    .select(['note', sql<string>`current_setting('in_hot_standby')`.as('standby')])
    .where('festival_id', '=', 'f1')
    .executeTakeFirstOrThrow()

let shard = ''
const onShard = () => {
  shard ||= router.shardsOf(router.db.selectFrom('wallets').selectAll().where('festival_id', '=', 'f1').compile())[0]!
  return router.onShard(shard)
}
const update = (db: Kysely<Database>, note: string) =>
  db.updateTable('wallets').set({ note }).where('festival_id', '=', 'f1')
const raw = (note: string) => sql`update wallets set note = ${note} where festival_id = 'f1'`

async function read(query: { stream(): AsyncIterableIterator<unknown> }, most = Number.POSITIVE_INFINITY) {
  let seen = 0
  for await (const _ of query.stream()) if (++seen >= most) break
}

const writes: Record<string, (note: string) => Promise<unknown>> = {
  'an UPDATE': (note) => update(router.db, note).execute(),
  'a stream of what it returns': (note) => read(update(router.db, note).returningAll()),
  'such a stream, left early': (note) => read(update(router.db, note).returningAll(), 1),
  'a CTE that writes': (note) =>
    router.db
      .with('written', (db) => update(db as Kysely<Database>, note).returning('id'))
      .selectFrom('written')
      .selectAll()
      .execute(),
  'all shards at once': (note) => router.fanOut().updateTable('wallets').set({ note }).execute(),
  'raw text on a shard': (note) => raw(note).execute(onShard()),
  'raw text that begins and commits': (note) =>
    onShard()
      .connection()
      .execute(async (db) => {
        await sql`begin`.execute(db)
        await raw(note).execute(db)
        await sql`commit`.execute(db)
      }),
  'a stream on a shard': (note) => read(update(onShard(), note).returningAll()),
  'a transaction': (note) => router.transaction().execute((trx) => update(trx, note).execute()),
  'a transaction over shards': (note) =>
    router
      .transaction({ crossShard: 'atomic', fanOut: true })
      .execute((trx) => trx.updateTable('wallets').set({ note }).execute()),
}

describe('reads of a context see its writes', () => {
  it.each(Object.keys(writes))('by %s', async (name) => {
    const note = `by ${name}`
    await runInReadContext(new ReadContext(), async () => {
      expect((await notes()).standby).toBe('on')
      await writes[name]?.(note)
      expect(await notes()).toEqual({ note, standby: 'off' })
    })
    expect((await notes()).note).toBe('before')
  })

  const reads: Record<string, () => Promise<unknown>> = {
    'a read of the primary': () => notes(router.reads('primary')),
    'a transaction that only reads': () => router.transaction().execute((trx) => notes(trx)),
    'a stream': () =>
      runWithReads('primary', () =>
        read(router.db.selectFrom('wallets').select('note').where('festival_id', '=', 'f1')),
      ),
  }

  it.each(Object.keys(reads))('%s takes its context along: what is read next shows no less', async (name) => {
    await notes()
    onShard()
    const note = `before ${name}`
    // It believes a token that every replica has reached.
    const early = runInReadContext(new ReadContext(), async () => {
      await update(router.db, 'early').execute()
      return currentReadContext()?.tokenOf(shard)
    })
    const token = { ...(await early)!, lsn: '0/1' }
    await runInReadContext(new ReadContext([token]), async () => {
      expect((await notes()).standby).toBe('on')
    })
    await update(router.db, note).execute()
    await runInReadContext(new ReadContext([token]), async () => {
      await reads[name]?.()
      expect(await notes()).toEqual({ note, standby: 'off' })
    })
  })

  it('a commit that is acknowledged before it is flushed has a token behind it', async () => {
    const tokenOf = (work: () => Promise<unknown>) =>
      runInReadContext(new ReadContext(), async () => {
        await work()
        return currentReadContext()?.tokenOf(shard)?.lsn ?? ''
      })
    const asynchronously = () =>
      onShard()
        .transaction()
        .execute(async (trx) => {
          await sql`set local synchronous_commit = off`.execute(trx)
          await update(trx, 'later').execute()
        })
    await notes()
    onShard()
    for (let run = 0; run < 5; run++) {
      const before = await tokenOf(() => update(router.db, 'now').execute())
      const after = await tokenOf(asynchronously)
      expect(BigInt(`0x${after.replace('/', '')}`)).toBeGreaterThan(BigInt(`0x${before.replace('/', '')}`))
    }
  })
})

it('a key that moved is read from the primary, also where its context has no token yet', async () => {
  const input = { id: 'moving', hash: 'postgres', ...cluster.topologyInput() } as const
  const moving = routerOf(cluster, { topology: input, pool: { replicas: { reads: 'replica', tokenWaitMs: 0 } } })
  await moving.ready()
  const context = new ReadContext()
  await runInReadContext(context, () => update(moving.db, 'moves').execute())
  const [from = ''] = moving.shardsOf(
    moving.db.selectFrom('wallets').selectAll().where('festival_id', '=', 'f1').compile(),
  )
  const to = from === 'shard-1' ? 'shard-2' : 'shard-1'
  const move = async (source: string, target: string) => {
    const rows = await moving
      .onShard(source)
      .deleteFrom('wallets')
      .where('festival_id', '=', 'f1')
      .returningAll()
      .execute()
    await moving.onShard(target).insertInto('wallets').values(rows).execute()
  }
  // The rows go to the other shard, whose replica does not hear of it.
  await move(from, to)
  await moving.replaceTopology({ ...input, epoch: 2, pins: [{ family: 'festival_id', key: 'f1', shard: to }] })
  const seen = await runInReadContext(context, () => notes(moving.db).catch(() => undefined))
  await move(to, from)
  await moving.close()
  expect(seen).toEqual({ note: 'moves', standby: 'off' })
})

describe('where reads go', () => {
  const asked: readonly unknown[] = [
    'secondary',
    { maxLag: 5 },
    { maxLagMs: -1 },
    { maxLagMs: Number.NaN },
    5,
    undefined,
  ]

  it.each(asked)('%j is refused, as it would be without effect', (reads) => {
    expect(() => router.reads(reads as ReadPreference)).toThrow(/Reads go to/)
    expect(() => runWithReads(reads as ReadPreference, () => 1)).toThrow(/Reads go to/)
  })

  it('the call decides before the context, the inner context before the outer, and both before the router', async () => {
    expect((await notes()).standby).toBe('on')
    expect((await notes(router.reads('primary'))).standby).toBe('off')
    await runWithReads('primary', async () => {
      expect((await notes()).standby).toBe('off')
      expect((await notes(router.reads({ maxLagMs: 60_000 }))).standby).toBe('on')
      expect((await runWithReads('replica', () => notes())).standby).toBe('on')
    })
  })
})
