import { noTelemetry, type Telemetry } from '@shardwright/core'
import { citusAvailability } from '@shardwright/local-cluster'
import { createShardRouter } from '@shardwright/shard-router'
import { sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { festivalIds, schema } from '../router/festival-fixture.ts'
import { type FestivalCluster, onServer, routerOn, startFestivalCluster } from './cluster-fixture.ts'

const { available } = await citusAvailability()

describe.skipIf(!available)('the router on Citus', () => {
  let cluster: FestivalCluster
  let router: ReturnType<typeof routerOn>
  /** Ids of the servers that statements went to, in order. */
  const sent: string[] = []
  const telemetry: Telemetry = {
    ...noTelemetry,
    record: (name, _, attributes) => {
      if (name === 'shardwright.pool.statement_ms') sent.push(String(attributes?.shard))
    },
  }
  const workers = () => Object.keys(cluster.database.nodes).slice(1)
  const nodeOf = async (festival: string) =>
    (
      await onServer(
        cluster.database.url,
        `select nodename || ':' || nodeport as name from pg_dist_placement join pg_dist_node using (groupid)
         where shardid = get_shard_id_for_distribution_column('wallets', '${festival}')`,
      )
    )[0]?.name as string
  /** A festival on each of the two workers. */
  let here: string
  let there: string

  beforeAll(async () => {
    cluster = await startFestivalCluster(`
      insert into wallets (festival_id, id, user_id, balance) select 'f' || f, id, id, 10 from generate_series(0, 11) f, generate_series(1, 3) id;
      insert into festivals (name) select 'festival ' || n from generate_series(1, 3) n;
`)
    const nodes = await Promise.all(festivalIds.map(nodeOf))
    here = festivalIds[0]!
    there = festivalIds[nodes.findIndex((node) => node !== nodes[0])]!
    router = routerOn(cluster.database, { telemetry })
    await router.ready()
  })
  afterAll(async () => {
    await router?.close()
    await cluster?.citus.stop()
  })
  beforeEach(() => {
    sent.length = 0
  })

  it('sends what has one key straight to the worker that has the shard', async () => {
    // The coordinator is asked once for the names of the shards.
    await router.db.selectFrom('wallets').select('id').where('festival_id', '=', here).execute()
    await expect.poll(() => sent).toContain('coordinator')
    for (const festival of festivalIds) {
      sent.length = 0
      const query = router.db.selectFrom('wallets').selectAll().where('festival_id', '=', festival)
      expect(await query.execute()).toHaveLength(3)
      const node = await nodeOf(festival)
      expect(new Set(sent)).toEqual(new Set([node]))
      expect(router.shardsOf(query.compile())).toEqual([node])
    }
  })

  it('reads one shard as the coordinator would', async () => {
    const wallets = () => router.db.selectFrom('wallets').where('festival_id', '=', here)
    await expect(
      wallets().selectAll('wallets').where('wallets.id', '>', 1).orderBy('wallets.id', 'desc').execute(),
    ).resolves.toMatchObject([{ id: 3, balance: '10.00' }, { id: 2 }])
    await expect(
      router.db
        .selectFrom('wallets as w')
        .select(({ fn }) => [fn.sum('w.balance').as('sum'), fn.countAll().as('count')])
        .where('w.festival_id', '=', here)
        .groupBy('w.festival_id')
        .having(({ fn }) => fn.countAll(), '>', 1)
        .execute(),
    ).resolves.toEqual([{ sum: '30.00', count: '3' }])
    await expect(wallets().select('id').orderBy('id').limit(1).offset(1).execute()).resolves.toEqual([{ id: 2 }])
    await expect(wallets().select('id').where('id', 'in', [1, 3]).orderBy('id').execute()).resolves.toEqual([
      { id: 1 },
      { id: 3 },
    ])
    // The words are those of the table, and those of stock Kysely on the coordinator.
    const missing = wallets().select('wallets.nothing' as 'id')
    await expect(missing.execute()).rejects.toMatchObject({ code: '42703', message: /wallets\.nothing/ })
  })

  it('names tables and constraints in errors as the schema does, not as the shard', async () => {
    const again = { festival_id: here, id: 1, user_id: 1, balance: '1' }
    const message = 'duplicate key value violates unique constraint "wallets_pkey"'
    const named = { code: '23505', constraint: 'wallets_pkey', message }
    await expect(router.db.insertInto('wallets').values(again).execute()).rejects.toMatchObject(named)
    const other = { ...again, festival_id: there }
    await expect(router.db.insertInto('wallets').values([again, other]).execute()).rejects.toMatchObject(named)
    const taken = router.fanOut().insertInto('festivals').values({ id: 1000, name: 'festival 1' })
    await expect(taken.execute()).rejects.toMatchObject({ constraint: 'festivals_name_key' })
    const absent = router.db.updateTable('wallets').set({ balance: null as unknown as string })
    await expect(absent.where('festival_id', '=', here).execute()).rejects.toMatchObject({
      code: '23502',
      column: 'balance',
      message: 'null value in column "balance" of relation "wallets" violates not-null constraint',
    })
  })

  it('follows a shard that moves, and then runs each statement once', async () => {
    const counted = new Map<string, number>()
    const counting = {
      ...telemetry,
      count: (name: string, by: number) => counted.set(name, (counted.get(name) ?? 0) + by),
    }
    const topology = { ...cluster.database.topologyInput(), refreshMs: 200 }
    await using moved = createShardRouter({ schema, topology, telemetry: counting })
    const query = moved.db.selectFrom('tickets').select('festival').where('user_id', '=', 7)
    await moved.db.insertInto('tickets').values({ user_id: 7, id: 1, festival: 'before' }).execute()
    for (let run = 0; run < 3; run++) expect(await query.execute()).toEqual([{ festival: 'before' }])
    await onServer(
      cluster.database.url,
      `select citus_move_shard_placement(shardid, source.nodename, source.nodeport, target.nodename, target.nodeport, 'block_writes')
       from pg_dist_placement join pg_dist_node as source using (groupid)
       cross join lateral (select * from pg_dist_node as other
         where other.groupid <> source.groupid and other.shouldhaveshards limit 1) as target
       where shardid = get_shard_id_for_distribution_column('tickets', 7)`,
    )
    await onServer(cluster.database.url, `update tickets set festival = 'after' where user_id = 7`)
    const rows = await Promise.all(Array.from({ length: 9 }, () => query.execute()))
    expect(rows).toEqual(rows.map(() => [{ festival: 'after' }]))
    await expect.poll(() => counted.get('shardwright.citus.metadata_changes')).toBe(1)
    counted.clear()
    expect(await query.execute()).toEqual([{ festival: 'after' }])
    await moved
      .for({ user_id: 7 })
      .transaction()
      .setIsolationLevel('repeatable read')
      .execute((trx) => trx.updateTable('tickets').set({ festival: 'again' }).execute())
    expect(await query.execute()).toEqual([{ festival: 'again' }])
    expect(counted.get('shardwright.citus.statements_run_again')).toBeUndefined()
  })

  it('sends the rest to the coordinator, when it is asked for', async () => {
    const all = router.db.selectFrom('wallets').select(({ fn }) => fn.sum('balance').as('sum'))
    await expect(all.execute()).rejects.toMatchObject({ code: 'SHARD_KEY_REQUIRED' })
    const [sum] = await router
      .fanOut()
      .executeQuery(all)
      .then(({ rows }) => rows)
    expect(sum).toEqual({ sum: '360.00' })
    const both = router.db.selectFrom('wallets').select('id').where('festival_id', 'in', [here, there])
    expect(await both.execute()).toHaveLength(6)
    expect(sent).toEqual(['coordinator', 'coordinator'])
  })

  it('joins what is together on the worker, also with reference tables', async () => {
    const rows = await router
      .for({ festival_id: here })
      .selectFrom('wallets as w')
      .innerJoin('festivals as f', 'f.id', 'w.id')
      .leftJoin('transactions as t', (join) =>
        join.onRef('t.wallet_id', '=', 'w.id').onRef('t.festival_id', '=', 'w.festival_id'),
      )
      .select(['w.id', 'f.name'])
      .orderBy('w.id')
      .execute()
    expect(rows.map(({ name }) => name)).toEqual(['festival 1', 'festival 2', 'festival 3'])
    expect(new Set(sent)).toEqual(new Set([await nodeOf(here)]))
  })

  it('reads reference and single tables by the coordinator, or by every node in turn', async () => {
    await router.db.selectFrom('festivals').selectAll().execute()
    await router.db
      .insertInto('audit')
      .values({ id: Date.now() % 1e9, line: 'x' })
      .execute()
    expect(sent).toEqual(['coordinator', 'coordinator'])
    const topology = { ...cluster.database.topologyInput(), queryFrom: 'any' } as const
    await using any = createShardRouter({ schema, topology, telemetry })
    await any.ready()
    sent.length = 0
    for (let n = 0; n < 6; n++) await any.db.selectFrom('festivals').selectAll().execute()
    expect(new Set(sent)).toEqual(new Set(['coordinator', ...workers()]))
  })

  it('lets sequences give the values that the coordinator gives', async () => {
    const inserted = []
    for (let n = 0; n < 4; n++) {
      const row = await router.db
        .insertInto('festivals')
        .values({ name: `late ${n}` })
        .returning('id')
        .executeTakeFirstOrThrow()
      inserted.push(row.id)
    }
    expect(inserted).toEqual([4, 5, 6, 7])
    await router.db.deleteFrom('festivals').where('name', 'like', 'late%').execute()
  })

  it('begins a transaction on the worker of its first key, and commits on all nodes or none', async () => {
    const move = (amount: number, fail: boolean) =>
      router.db.transaction().execute(async (trx) => {
        await trx
          .updateTable('wallets')
          .set({ balance: sql`balance - ${amount}` })
          .where('festival_id', '=', here)
          .where('id', '=', 1)
          .execute()
        await trx
          .updateTable('wallets')
          .set({ balance: sql`balance + ${amount}` })
          .where('festival_id', '=', there)
          .where('id', '=', 1)
          .execute()
        if (fail) throw new Error('no')
      })
    await move(4, false)
    expect(new Set(sent)).toEqual(new Set([await nodeOf(here)]))
    await expect(move(100, true)).rejects.toThrow('no')
    const balances = await router.db
      .selectFrom('wallets')
      .select(['festival_id', 'balance'])
      .where('festival_id', 'in', [here, there])
      .where('id', '=', 1)
      .orderBy('balance')
      .execute()
    expect(balances.map(({ balance }) => balance)).toEqual(['6.00', '14.00'])
    await move(-4, false)
  })

  it('keeps savepoints, isolation and atomic transactions', async () => {
    await router.transaction({ crossShard: 'atomic', isolationLevel: 'repeatable read' }).execute(async (trx) => {
      await trx.selectFrom('wallets').select('id').where('festival_id', '=', here).execute()
      const { rows } = await sql<{ level: string }>`select current_setting('transaction_isolation') as level`.execute(
        router.onShard('coordinator'),
      )
      expect(rows[0]?.level).toBe('read committed')
    })
    const trx = await router.for({ festival_id: here }).startTransaction().execute()
    const bonus = () => trx.updateTable('wallets').set({ note: 'bonus' }).where('id', '=', 2).execute()
    const saved = await trx.savepoint('before').execute()
    await bonus()
    await saved.rollbackToSavepoint('before').execute()
    await trx.commit().execute()
    const row = await router
      .for({ festival_id: here })
      .selectFrom('wallets')
      .select('note')
      .where('id', '=', 2)
      .executeTakeFirstOrThrow()
    expect(row.note).toBeNull()
  })

  it('streams from one worker and from the coordinator', async () => {
    const ids: number[] = []
    for await (const { id } of router
      .for({ festival_id: here })
      .selectFrom('wallets')
      .select('id')
      .orderBy('id')
      .stream(1))
      ids.push(id)
    for await (const { id } of router
      .fanOut()
      .selectFrom('wallets')
      .select('id')
      .orderBy('festival_id')
      .orderBy('id')
      .stream(5))
      ids.push(id)
    expect(ids).toEqual([1, 2, 3, ...festivalIds.flatMap(() => [1, 2, 3])])
  })

  it('gives now() one value over all shards, and in a transaction the value of the transaction', async () => {
    const moments = (db: typeof router.db) =>
      db.selectFrom('wallets').select(sql<string>`now()::text`.as('now')).distinct().execute()
    expect(await moments(router.fanOut())).toHaveLength(1)
    await router.transaction({ fanOut: true }).execute(async (trx) => {
      const local = await trx
        .selectFrom('wallets')
        .select(sql<string>`now()::text`.as('now'))
        .where('festival_id', '=', here)
        .executeTakeFirst()
      const remote = await trx
        .selectFrom('wallets')
        .select(sql<string>`now()::text`.as('now'))
        .where('festival_id', '=', there)
        .executeTakeFirst()
      expect(remote).toEqual(local)
      expect(await moments(trx)).toEqual([local])
    })
  })

  it('names a node by onShard, and refuses one that is not there', async () => {
    for (const worker of workers()) {
      const { rows } = await sql<{ port: number }>`select groupid as port from pg_dist_local_group`.execute(
        router.onShard(worker),
      )
      expect(rows).toHaveLength(1)
    }
    await expect(router.onShard('nowhere:1').selectFrom('festivals').selectAll().execute()).rejects.toMatchObject({
      code: 'UNKNOWN_SHARD',
    })
  })

  it('gives the rows of an INSERT over shards back in their order', async () => {
    const values = Array.from({ length: 24 }, (_, i) => ({
      festival_id: festivalIds[(i * 5) % festivalIds.length]!,
      id: 900 + i,
      user_id: i,
      balance: '1.00',
    }))
    const ids = values.map(({ id }) => id)
    const insert = router.db.insertInto('wallets').values(values)
    const added = await router.db.executeQuery(insert.returning('id'))
    expect(added.rows.map(({ id }) => Number(id))).toEqual(ids)
    expect(added.numAffectedRows).toBe(24n)
    const again = insert.onConflict((oc) => oc.columns(['festival_id', 'id']).doUpdateSet({ balance: '2' }))
    const changed = await again.returningAll().execute()
    expect(changed.map(({ id }) => Number(id))).toEqual(ids)
    expect(Object.keys(changed[0]!)).not.toContain('shardwright:key')
    await router.fanOut().deleteFrom('wallets').where('id', '>=', 900).execute()
  })

  it('explains the worker, the shard and why', async () => {
    const one = await router.explain(router.db.selectFrom('wallets').selectAll().where('festival_id', '=', here))
    const [shard] = await onServer(
      cluster.database.url,
      `select get_shard_id_for_distribution_column('wallets', '${here}')::int as id`,
    )
    expect(one).toMatchObject({ kind: 'one', shards: [await nodeOf(here)] })
    expect(one.citusShards).toEqual([{ table: 'wallets', id: shard?.id, name: `wallets_${shard?.id}` }])
    expect(String(one)).toContain(`wallets_${shard?.id} on node ${await nodeOf(here)}`)
    const all = await router.explain(router.db.selectFrom('wallets').selectAll())
    expect(all).toMatchObject({ kind: 'fan-out', shards: ['coordinator'] })
    expect(String(all)).toContain("no shard key for 'wallets'")
  })

  it('is a fleet of the coordinator, and has no hash topology', () => {
    expect(router.engine).toBe('citus')
    expect(router.fleet.shards.map(({ id }) => id)).toEqual(['coordinator'])
    expect(() => router.topology).toThrow(expect.objectContaining({ code: 'NO_HASH_TOPOLOGY' }))
  })

  it.each([
    [
      'a join that is not on the key',
      'CROSS_SHARD_JOIN',
      () =>
        router.fanOut().selectFrom('wallets as w').innerJoin('tickets as t', 't.user_id', 'w.user_id').select('w.id'),
    ],
    [
      'grouping sets for each row that is written',
      'UNSUPPORTED_MERGE',
      () =>
        router
          .fanOut()
          .updateTable('wallets as w')
          .set({ note: 'x' })
          .where(({ exists, selectFrom }) =>
            exists(
              selectFrom('transactions as t')
                .select('t.stand')
                .whereRef('t.festival_id', '=', 'w.festival_id')
                .groupBy(sql`rollup(t.stand)`),
            ),
          ),
    ],
    ['locks over shards', 'CITUS_UNSUPPORTED', () => router.fanOut().selectFrom('wallets').select('id').forUpdate()],
  ] as const)('refuses %s as %s, with the words and the SQLSTATE of Citus', async (_, code, query) => {
    const error = await query()
      .execute()
      .then(
        () => undefined,
        (reason: unknown) => reason,
      )
    const { cause } = error as { cause: { code: string } }
    expect(error).toMatchObject({ code, details: { sqlState: cause.code } })
    expect(cause.code).toMatch(/0A000|XX000/)
  })

  it('changes all rows of a shard that it had to wait for, also those that came meanwhile', async () => {
    await router.db
      .insertInto('tickets')
      .values([1, 2].map((id) => ({ user_id: 9, id, festival: 'x' })))
      .execute()
    const [place] = await onServer(
      cluster.database.url,
      `select shardid, nodename || ':' || nodeport as node from pg_dist_placement join pg_dist_node using (groupid)
       where shardid = get_shard_id_for_distribution_column('tickets', 9)`,
    )
    const urls = [cluster.database.url, cluster.database.nodes[String(place?.node)] as string]
    const holders = urls.map((connectionString) => new pg.Client({ connectionString }))
    for (const holder of holders) {
      await holder.connect()
      // As the last step of a move does.
      await holder.query(`begin; select lock_shard_metadata(7, array[${place?.shardid}])`)
    }
    const changing = router.db.updateTable('tickets').set({ festival: 'y' }).where('user_id', '=', 9).executeTakeFirst()
    await expect
      .poll(() => onServer(cluster.database.url, `select from pg_locks where locktype = 'advisory' and not granted`))
      .not.toEqual([])
    await onServer(
      urls[1] as string,
      `set citus.enable_manual_changes_to_shards = on; insert into tickets_${place?.shardid} (user_id, id, festival) values (9, 3, 'x')`,
    )
    for (const holder of holders) {
      await holder.query('commit')
      await holder.end()
    }
    expect((await changing)?.numUpdatedRows).toBe(3n)
  })

  it('counts the rows that an INSERT ... SELECT stored, not those that met others', async () => {
    const copies = (db: typeof router.db, festivals: string[]) =>
      db
        .insertInto('wallets')
        .columns(['festival_id', 'id', 'user_id', 'balance'])
        .expression((eb) =>
          eb
            .selectFrom('wallets')
            .select((own) => ['festival_id', own('id', '+', 1).as('id'), 'user_id', 'balance'])
            .where('festival_id', 'in', festivals)
            .orderBy('festival_id')
            .orderBy('id')
            .limit(6),
        )
        .onConflict((oc) => oc.columns(['festival_id', 'id']).doNothing())
        .executeTakeFirstOrThrow()
    expect((await copies(router.fanOut(), [here, there])).numInsertedOrUpdatedRows).toBe(2n)
    await router.fanOut().deleteFrom('wallets').where('id', '=', 4).execute()
    expect((await copies(router.db, [here])).numInsertedOrUpdatedRows).toBe(1n)
    await router.fanOut().deleteFrom('wallets').where('id', '=', 4).execute()
  })

  it('groups by a key that an outer join may leave NULL, of which Citus gives one group a shard', async () => {
    const joined = router
      .fanOut()
      .selectFrom('wallets as w')
      .leftJoin('transactions as t', (join) =>
        join.onRef('t.festival_id', '=', 'w.festival_id').onRef('t.wallet_id', '=', 'w.id'),
      )
    const grouped = joined.select(['t.festival_id', ({ fn }) => fn.countAll().as('count')]).groupBy('t.festival_id')
    expect(await grouped.execute()).toEqual([{ festival_id: null, count: '36' }])
    const named = joined.select('t.festival_id as f').groupBy('f')
    expect(await named.execute()).toEqual([{ f: null }])
    const rows = await joined.select('w.festival_id').groupBy('w.festival_id').orderBy('w.festival_id').execute()
    expect(rows.map((row) => row.festival_id)).toEqual([...festivalIds].sort())
    const other = await joined.select('t.wallet_id').groupBy('t.wallet_id').execute()
    expect(other).toEqual([{ wallet_id: null }])
  })

  it('refuses CTEs whose writes Citus shows to the rest, or keeps from other copies', async () => {
    const moved = router
      .fanOut()
      .with('moved', (db) =>
        db.updateTable('wallets').set({ note: 'x' }).where('festival_id', '=', here).returning('id'),
      )
    const seen = moved
      .deleteFrom('transactions')
      .where('wallet_id', 'in', (eb) =>
        eb.selectFrom('moved').innerJoin('wallets', 'wallets.id', 'moved.id').select('wallets.id'),
      )
    await expect(seen.execute()).rejects.toMatchObject({ code: 'CITUS_UNSUPPORTED', message: /'wallets'/ })
    const copied = router
      .fanOut()
      .with('renamed', (db) => db.updateTable('festivals').set({ name: 'x' }).returning('id'))
      .deleteFrom('transactions')
      .where('festival_id', '=', here)
      .where('wallet_id', 'in', (eb) => eb.selectFrom('renamed').select('id'))
    await expect(copied.execute()).rejects.toMatchObject({ code: 'CITUS_UNSUPPORTED', message: /'festivals'/ })
    expect(await router.db.selectFrom('festivals').select('id').where('name', '=', 'x').execute()).toEqual([])
    expect(await moved.selectFrom('moved').select('id').orderBy('id').execute()).toEqual([
      { id: 1 },
      { id: 2 },
      { id: 3 },
    ])
    await router.fanOut().updateTable('wallets').set({ note: null }).execute()
  })

  it('writes what a CTE writes, also where the rest can match no row and Citus would leave all of it out', async () => {
    const noted = async () =>
      (await router.db.selectFrom('wallets').select('note').where('festival_id', '=', here).execute()).map(
        ({ note }) => note,
      )
    const written = (db: typeof router.db, note: string, festival: string) =>
      db
        .with('moved', (own) =>
          own.updateTable('wallets').set({ note }).where('festival_id', '=', here).returning('id'),
        )
        .deleteFrom('transactions')
        .where('festival_id', '=', festival)
        .where('wallet_id', 'in', (eb) => eb.selectFrom('moved').select('id'))
        .where('wallet_id', 'is', null)
        .executeTakeFirstOrThrow()
    expect((await written(router.for({ festival_id: here }) as never, 'a', there)).numDeletedRows).toBe(0n)
    expect(await noted()).toEqual(['a', 'a', 'a'])
    await router
      .for({ festival_id: here })
      .transaction()
      .execute((trx) => written(trx as never, 'b', there))
    expect(await noted()).toEqual(['b', 'b', 'b'])
    const never = router
      .fanOut()
      .with('moved', (own) => own.updateTable('wallets').set({ note: 'c' }).where('festival_id', '=', here))
      .updateTable('transactions')
      .set({ stand: 'x' })
      .where('amount', '=', 1)
      .where('amount', '=', 2)
    expect((await never.executeTakeFirstOrThrow()).numUpdatedRows).toBe(0n)
    expect(await noted()).toEqual(['c', 'c', 'c'])
    await router.fanOut().updateTable('wallets').set({ note: null }).execute()
  })

  it('refuses a cluster whose tables are not as the schema says', async () => {
    const other = await cluster.citus.createDatabase()
    await onServer(
      other.url,
      'create table wallets (festival_id text not null, id int); create table transactions (festival_id text not null); create table tickets (user_id int not null); create table festivals (id int); create table audit (id int)',
    )
    await using wrong = routerOn(other)
    await expect(wrong.ready()).rejects.toMatchObject({ code: 'CATALOG_MISMATCH' })
  })

  it('refuses nodes whose sessions write dates otherwise', async () => {
    const other = await startFestivalCluster()
    const name = new URL(other.database.url).pathname.slice(1)
    await onServer(other.database.url, `alter database ${name} set TimeZone = 'Asia/Tokyo'`)
    await using strict = routerOn(other.database)
    await expect(strict.ready()).rejects.toMatchObject({ code: 'CITUS_SETTINGS_DIFFER' })
    await using tokyo = routerOn(other.database, { pool: { timeZone: 'Asia/Tokyo' } })
    await tokyo.ready()
    await other.citus.stop()
  })

  it('refuses a node that is another, and goes by the coordinator where one cannot be reached', async () => {
    const [first, second] = workers() as [string, string]
    const { nodes, ...rest } = cluster.database.topologyInput()
    await using swapped = createShardRouter({
      schema,
      topology: { ...rest, nodes: { ...nodes, [first]: nodes[second]! } },
    })
    await expect(swapped.ready()).rejects.toMatchObject({ code: 'WRONG_SHARD' })
    const dead = Object.fromEntries(workers().map((worker) => [worker, 'postgres://nobody@127.0.0.1:1/none']))
    await using apart = createShardRouter({ schema, topology: { ...rest, nodes: dead }, telemetry })
    await apart.ready()
    sent.length = 0
    expect(await apart.db.selectFrom('wallets').select('id').where('festival_id', '=', here).execute()).toHaveLength(3)
    expect(sent).toEqual(['coordinator'])
  })
})
