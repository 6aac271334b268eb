import { defineSchema, single } from '@shardwright/core'
import { findProgram, type LocalCluster, startPgBouncer } from '@shardwright/local-cluster'
import { createShardRouter, type ShardRouter } from '@shardwright/shard-router'
import { Kysely, sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Database, routerOf, type schema, startFestival } from './festival-fixture.ts'

// One session a shard: the next caller gets the one that was used before.
const oneSession = { size: { minimum: 0, maximum: 1, overflow: 0, acquireTimeoutMs: 5_000 }, lane: { maxClients: 1 } }
const pgbouncer = await findProgram('pgbouncer')
let cluster: LocalCluster
let router: ShardRouter<typeof schema>

beforeAll(async () => {
  cluster = await startFestival(2)
  for (const shard of cluster.fleet().shards) {
    await using connection = await shard.connect()
    await connection.script(`
      do $$ begin create role app; exception when duplicate_object then end $$;
      create sequence ids;
      create function hides_zone() returns text language sql volatile as
        $$ select set_config('TimeZone', 'Asia/Tokyo', false) $$;`)
  }
  router = routerOf(cluster, { pool: oneSession })
  await router.db.insertInto('wallets').values({ festival_id: 'f1', id: 1, user_id: 1, balance: '1' }).execute()
})

afterAll(async () => {
  await router?.close()
  await cluster?.stop()
})

interface Trace {
  readonly setting: string | null
  readonly zone: string
  readonly role: string
  readonly temporary: string | null
  readonly prepared: number
  readonly channels: number
  readonly cursors: number
  readonly locks: number
  readonly random: number
}

const trace = sql<Trace>`select coalesce(current_setting('app.x', true), '') as setting, current_setting('TimeZone') as zone,
  (current_user = 'app')::int as role, to_regclass('pg_temp.left_behind')::text as temporary,
  (select count(*)::int from pg_prepared_statements where name = 'left_behind') as prepared,
  (select count(*)::int from pg_listening_channels()) as channels, (select count(*)::int from pg_cursors where is_holdable) as cursors,
  (select count(*)::int from pg_locks where locktype = 'advisory' and objid in (7, 8, 9)
    and database = (select oid from pg_database where datname = current_database())) as locks`

const clean = { setting: '', zone: 'UTC', role: 0, temporary: null, prepared: 0, channels: 0, cursors: 0, locks: 0 }

/** What other callers see, on each lane that gives a session to one caller at a time. */
async function seen(own: Kysely<Database>): Promise<unknown[]> {
  const alone = await trace.execute(own)
  const [inTransaction, streamed] = await own.transaction().execute(async (trx) => {
    const { rows } = await trace.execute(trx)
    const chunks: unknown[] = []
    for await (const row of trx.selectNoFrom(sql`current_setting('app.x', true)`.as('setting')).stream(1))
      chunks.push(row)
    return [rows[0], chunks[0]]
  })
  expect(['', null]).toContain((streamed as { setting: string | null }).setting)
  return [alone.rows[0], inTransaction]
}

const leavers = [
  `set app.x = 'left'`,
  `set session "app.x" to 'left'`,
  `set time zone 'Asia/Tokyo'`,
  `set role app`,
  `set session authorization app`,
  `select set_config('app.x', 'left', false)`,
  `select pg_advisory_lock(7)`,
  `select pg_try_advisory_lock_shared(7, 8)`,
  `create temp table left_behind (id int)`,
  `select 1 as id into temp left_behind`,
  `prepare left_behind as select 1`,
  `listen left_behind`,
  `update pg_settings set setting = 'Asia/Tokyo' where name = 'TimeZone'`,
  `do $$ begin perform set_config('app.x', 'left', false); end $$`,
  `select hides_zone()`,
]

describe('what a statement leaves in a session is not seen by the next caller', () => {
  it.each(leavers)('on a connection of one shard: %s', async (text) => {
    const own = router.onShard('shard-1')
    await own.connection().execute(async (connection) => {
      const pid = sql<{ pid: number }>`select pg_backend_pid() as pid`
      const before = await pid.execute(connection)
      await sql.raw(text).execute(connection)
      expect((await trace.execute(connection)).rows[0]).not.toEqual(clean)
      expect((await pid.execute(connection)).rows).toEqual(before.rows)
    })
    expect(await seen(own)).toEqual([clean, clean])
  })

  it.each(leavers)('in a transaction of one shard, committed and rolled back: %s', async (text) => {
    const own = router.onShard('shard-1')
    await own.transaction().execute(async (trx) => {
      await sql.raw(text).execute(trx)
      // LISTEN is in force with COMMIT.
      if (!text.startsWith('listen')) expect((await trace.execute(trx)).rows[0]).not.toEqual(clean)
    })
    expect(await seen(own)).toEqual([clean, clean])
    const failing = own.transaction().execute(async (trx) => {
      await sql.raw(text).execute(trx)
      throw new Error('back')
    })
    await expect(failing).rejects.toThrow('back')
    expect(await seen(own)).toEqual([clean, clean])
  })

  it('a lock is free for others when the connection, or the transaction, is over', async () => {
    const own = router.onShard('shard-1')
    await using other = await cluster.fleet().shards[0]!.connect()
    const free = async () => {
      const sqlText = 'select pg_try_advisory_xact_lock(8) as free'
      const { rows } = (await other.query(sqlText)) as unknown as { rows: { free: boolean }[] }
      return rows[0]?.free
    }
    for (let turn = 0; turn < 10; turn++) {
      await own.connection().execute(async (connection) => {
        await sql`select pg_advisory_lock(8)`.execute(connection)
        expect(await free()).toBe(false)
      })
      expect(await free()).toBe(true)
      await own.transaction().execute((trx) => sql`select pg_advisory_lock(8)`.execute(trx))
      expect(await free()).toBe(true)
    }
  })

  it('a cursor WITH HOLD, and a transaction that is left open', async () => {
    const own = router.onShard('shard-1')
    await own.connection().execute(async (connection) => {
      await sql`begin`.execute(connection)
      await sql`declare c cursor with hold for select * from wallets`.execute(connection)
      await sql`commit`.execute(connection)
      expect((await trace.execute(connection)).rows[0]).toMatchObject({ cursors: 1 })
      await sql`begin`.execute(connection)
      await sql`set local app.x = 'left'`.execute(connection)
    })
    expect(await seen(own)).toEqual([clean, clean])
  })

  it('the state of random(), for which the session is closed', async () => {
    const own = router.onShard('shard-1')
    const first = async () => {
      await sql`select setseed(0.5)`.execute(own).catch(() => undefined)
      return await own.connection().execute(async (connection) => {
        const { rows } = await sql<{ r: number }>`select random() as r`.execute(connection)
        await sql`select setseed(0.5)`.execute(connection)
        return rows[0]?.r
      })
    }
    expect(await first()).not.toBe(await first())
  })

  it('streams too', async () => {
    const own = router.onShard('shard-1')
    await own.connection().execute(async (connection) => {
      for await (const _ of connection.selectNoFrom(sql`set_config('app.x', 'left', false)`.as('x')).stream(1));
      expect((await trace.execute(connection)).rows[0]).toMatchObject({ setting: 'left' })
    })
    expect(await seen(own)).toEqual([clean, clean])
  })

  it('through the query builder, and temporary tables are there for the connection', async () => {
    const own = router.onShard('shard-1')
    await own.connection().execute(async (connection) => {
      await connection.schema.createTable('left_behind').temporary().addColumn('id', 'integer').execute()
      await sql`insert into left_behind values (1)`.execute(connection)
      const { rows } = await sql`select * from left_behind`.execute(connection)
      expect(rows).toEqual([{ id: 1 }])
    })
    expect(await seen(own)).toEqual([clean, clean])
  })

  it('of a router whose tables are all on one shard, and of a Kysely over its dialect', async () => {
    const alone = createShardRouter({
      schema: defineSchema<{ audit: { id: number; line: string } }>()({ tables: { audit: single('shard-1') } }),
      topology: { hash: 'postgres', ...cluster.topologyInput() },
      pool: oneSession,
    })
    const plain = new Kysely<Database>({ dialect: alone.dialect })
    for (const db of [alone.db as unknown as Kysely<Database>, plain]) {
      await db.connection().execute(async (connection) => {
        await sql`set app.x = 'left'`.execute(connection)
        await connection.schema.createTable('left_behind').temporary().addColumn('id', 'integer').execute()
        expect((await trace.execute(connection)).rows[0]).toMatchObject({ setting: 'left', temporary: 'left_behind' })
      })
      expect(await seen(db)).toEqual([clean, clean])
    }
    await alone.close()
  })
})

describe('many callers at once', () => {
  it('none sees what another has left, however that one ended', { timeout: 30_000 }, async () => {
    const seed = Math.floor(Math.random() * 2 ** 31)
    let state = seed
    const next = (below: number) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
      return (state >> 8) % below
    }
    const one = <T>(list: readonly T[]) => list[next(list.length)] as T
    await using busy = routerOf(cluster, {
      pool: { size: { minimum: 0, maximum: 3, overflow: 1 }, lane: { maxClients: 2 } },
    })
    const own = busy.onShard('shard-1')
    const text = () => one([...leavers, 'select pg_advisory_lock_shared(7), pg_sleep(0.01)', 'select setseed(0.3)'])
    const seenHere: unknown[] = []
    const abort = () => ({
      signal: AbortSignal.timeout(1 + next(8)),
      inflightQueryAbortStrategy: one(['ignore query', 'cancel query', 'kill session'] as const),
    })
    const callers = [
      () => own.connection().execute((connection) => sql.raw(text()).execute(connection)),
      () => own.connection().execute((connection) => sql.raw(text()).execute(connection, abort())),
      () =>
        own.transaction().execute(async (trx) => {
          await sql.raw(text()).execute(trx)
          if (next(2) === 0) throw new Error('back')
        }),
      async () => {
        for await (const _ of own.selectFrom('wallets').selectAll().stream(1)) break
      },
      async () => seenHere.push(...(await trace.execute(own)).rows),
      () => own.transaction().execute(async (trx) => seenHere.push(...(await trace.execute(trx)).rows)),
    ]
    const report = console.error
    console.error = () => {}
    for (let round = 0; round < 25; round++) {
      await Promise.allSettled(Array.from({ length: 10 }, () => one(callers)()))
    }
    console.error = report
    // The locks that trace counts are those of all sessions: others hold them rightly.
    const traces = seenHere.map((row) => ({ ...(row as Trace), locks: 0 }))
    expect(traces.length, `seed ${seed}`).toBeGreaterThan(20)
    expect(traces, `seed ${seed}`).toEqual(traces.map(() => clean))
    await busy.close()
    expect(await seen(router.onShard('shard-1'))).toEqual([clean, clean])
  })
})

describe('routed statements', () => {
  const wallet = (db: Pick<Kysely<Database>, 'selectFrom'>) => db.selectFrom('wallets').where('festival_id', '=', 'f1')
  const call = (name: string, ...given: unknown[]) => sql`${sql.raw(name)}(${sql.join(given)})`.as('x')
  const codeOf = (running: Promise<unknown>) =>
    running.then(
      () => 'no error',
      (error: { code?: string }) => error.code,
    )

  it('outside a transaction they are refused, wherever they call it', async () => {
    const tickets = router.db.selectFrom('wallets').where('festival_id', '=', 'f1')
    for (const query of [
      tickets.select(call('set_config', 'app.x', 'left', false)),
      tickets.select(sql`set_config('app.x', 'left', false)`.as('x')),
      tickets.select(({ fn, val }) => fn('set_config', [val('app.x'), val('left'), val(false)]).as('x')),
      tickets.select('id').where(({ eb, fn, val }) => eb(fn('pg_try_advisory_lock', [val(7)]), '=', true)),
      tickets
        .select('id')
        .where('id', 'in', (eb) =>
          eb
            .selectFrom('wallets')
            .select('id')
            .where('festival_id', '=', 'f1')
            .where(sql<boolean>`set_config('app.x', '', 1 = 2) = ''`),
        ),
      router.db
        .with('c', (db) => wallet(db).select(sql`setseed(0.1)`.as('s')))
        .selectFrom('c')
        .selectAll(),
      tickets.select(call('setseed', 0.5)),
      tickets.select(sql`lastval()`.as('x')),
      tickets.select(sql`"pg_advisory_unlock_all"()`.as('x')),
      router.db
        .updateTable('wallets')
        .set({ note: sql`set_config('app.x', 'left', false)` })
        .where('festival_id', '=', 'f1'),
    ]) {
      expect(await codeOf(query.execute())).toBe('SESSION_STATE')
      expect(await codeOf(router.explain(query))).toBe('SESSION_STATE')
    }
    const chunks = tickets.select(call('pg_advisory_lock', 7)).stream(1)[Symbol.asyncIterator]()
    expect(await codeOf(chunks.next())).toBe('SESSION_STATE')
    const confined = router.for({ festival_id: 'f1' }).selectFrom('wallets').select(call('pg_advisory_lock', 7))
    expect(await codeOf(confined.execute())).toBe('SESSION_STATE')
    expect(await codeOf(router.fanOut().selectFrom('wallets').select(call('pg_advisory_lock', 7)).execute())).toBe(
      'SESSION_STATE',
    )
    const hidden = tickets.select(sql`u&"set\\005fconfig"('app.x', 'left', false)`.as('x'))
    expect(await codeOf(hidden.execute())).toBe('RAW_SQL_NOT_UNDERSTOOD')
  })

  it('what is over with the statement is answered: set_config for the transaction, currval of what it moved itself', async () => {
    const local = wallet(router.db).select(call('set_config', 'app.x', 'mine', true))
    expect(await local.execute()).toEqual([{ x: 'mine' }])
    const moved = wallet(router.db).select([sql<string>`nextval('ids')`.as('n'), sql<string>`currval('ids')`.as('c')])
    const [row] = await moved.execute()
    expect(row?.c).toBe(row?.n)
    expect(await seen(router.onShard('shard-1'))).toEqual([clean, clean])
  })

  it('in a transaction they run, SET LOCAL and its like as ever, and nothing outlives it', async () => {
    for (const crossShard of ['refuse', 'atomic'] as const) {
      await router.transaction({ crossShard }).execute(async (trx) => {
        await wallet(trx)
          .select(call('set_config', 'app.x', 'left', false))
          .execute()
        await wallet(trx).select(call('pg_advisory_lock', 7)).execute()
        await trx
          .updateTable('wallets')
          .set({ note: sql`current_setting('app.x')` })
          .where('festival_id', '=', 'f1')
          .execute()
        const rows = await wallet(trx)
          .select([sql`pg_advisory_unlock(7)`.as('unlocked'), 'note'])
          .execute()
        expect(rows).toEqual([{ unlocked: true, note: 'left' }])
        await wallet(trx).select(call('pg_advisory_lock', 9)).execute()
      })
      for (const shard of router.topology.shards) expect(await seen(router.onShard(shard.id))).toEqual([clean, clean])
    }
    await router
      .for({ festival_id: 'f1' })
      .transaction()
      .execute(async (trx) => {
        await trx
          .selectFrom('wallets')
          .select(call('set_config', 'app.x', 'mine', true))
          .execute()
        const rows = await trx.selectFrom('wallets').select(sql`current_setting('app.x')`.as('x')).execute()
        expect(rows).toEqual([{ x: 'mine' }])
      })
    for (const shard of router.topology.shards) expect(await seen(router.onShard(shard.id))).toEqual([clean, clean])
  })

  it('lastval() and currval() know the sequences of their own transaction alone', async () => {
    const own = router.onShard('shard-1')
    const moved = wallet(router.db).select(sql<string>`nextval('ids')`.as('n'))
    await router.db.transaction().execute((trx) => trx.executeQuery(moved))
    for (const text of ['select lastval()', `select currval('ids')`]) {
      await expect(own.transaction().execute((trx) => sql.raw(text).execute(trx))).rejects.toMatchObject({
        code: '55000',
      })
      await expect(sql.raw(text).execute(own)).rejects.toMatchObject({ code: '55000' })
    }
    const last = wallet(router.db).select(sql<string>`lastval()`.as('n'))
    await expect(router.db.transaction().execute((trx) => trx.executeQuery(last))).rejects.toMatchObject({
      code: '55000',
    })
    await router.db.transaction().execute(async (trx) => {
      const { rows } = await trx.executeQuery(moved)
      await wallet(trx).select('id').execute()
      expect((await trx.executeQuery(last)).rows).toEqual(rows)
    })
    await own.connection().execute(async (connection) => {
      const { rows } = await sql`select nextval('ids') as n`.execute(connection)
      expect((await sql`select lastval() as n`.execute(connection)).rows).toEqual(rows)
    })
  })

  it('a script that begins with its end', async () => {
    const own = router.onShard('shard-1')
    await own.connection().execute((connection) => sql`rollback; set app.x = 'left'`.execute(connection))
    await own.transaction().execute(async (trx) => {
      await sql`savepoint a; set app.x = 'left'`.execute(trx)
    })
    expect(await seen(own)).toEqual([clean, clean])
  })

  it('a function of ours that changes what the server reports: neither lane shows it to the next caller', async () => {
    for (let round = 0; round < 8; round++) {
      await wallet(router.db).select(sql`hides_zone()`.as('x')).execute()
      const rows = await wallet(router.db).select(sql`current_setting('TimeZone')`.as('zone')).execute()
      expect(rows).toEqual([{ zone: 'UTC' }])
    }
  })
})

describe('single statements of a named shard', () => {
  it('are refused where they leave what nobody can use, and run where a script uses it itself', async () => {
    const own = router.onShard('shard-1')
    for (const text of leavers.slice(0, -2)) {
      await expect(sql.raw(text).execute(own)).rejects.toMatchObject({ code: 'SESSION_STATE' })
    }
    await expect(
      own.schema.createTable('left_behind').temporary().addColumn('id', 'integer').execute(),
    ).rejects.toMatchObject({ code: 'SESSION_STATE' })
    await expect(own.selectNoFrom(sql`set_config('app.x', 'left', false)`.as('x')).execute()).rejects.toMatchObject({
      code: 'SESSION_STATE',
    })
    const secret = await sql`set app.x = hunter2`.execute(own).catch((error: Error) => error)
    expect(String(secret)).toContain('`set app.x ...` is for a session')
    expect(String(secret)).not.toContain('hunter2')
    await sql`set app.x = 'left'; create table scripted as select current_setting('app.x') as x`.execute(own)
    await sql`do $$ begin perform set_config('app.x', 'left', false); end $$`.execute(own)
    expect(await seen(own)).toEqual([clean, clean])
    const { rows } = await sql`select * from scripted`.execute(own)
    expect(rows).toEqual([{ x: 'left' }])
    await sql`drop table scripted`.execute(own)
  })
})

describe.skipIf(pgbouncer === undefined)('behind PgBouncer', () => {
  const behind = (url: string, pooler: 'pgbouncer-session' | 'pgbouncer-transaction', past = true) => {
    const input = cluster.topologyInput()
    const primary = { url, pooler, ...(past ? { directUrl: cluster.shards[0]!.url } : {}) }
    const shards = input.shards.map((shard, index) => (index === 0 ? { ...shard, primary } : shard))
    return createShardRouter({
      schema: defineSchema<{ audit: { id: number; line: string } }>()({ tables: { audit: single('shard-1') } }),
      topology: { hash: 'postgres', ...input, shards },
      pool: oneSession,
    })
  }

  it('in session mode it is as without', async () => {
    await using bouncer = await startPgBouncer({ target: cluster.shards[0]!.url, poolMode: 'session' })
    await using own = behind(bouncer.url, 'pgbouncer-session')
    const db = own.db as unknown as Kysely<Database>
    for (const text of leavers) {
      await db.connection().execute(async (connection) => {
        await sql.raw(text).execute(connection)
        expect((await trace.execute(connection)).rows[0]).not.toEqual(clean)
      })
      expect(await seen(db)).toEqual([clean, clean])
      await db.transaction().execute((trx) => sql.raw(text).execute(trx))
      expect(await seen(db)).toEqual([clean, clean])
    }
  })

  it('in transaction mode it is refused, and what ends with the transaction works', async () => {
    await using bouncer = await startPgBouncer({
      target: cluster.shards[0]!.url,
      poolMode: 'transaction',
      settings: { default_pool_size: 1 },
    })
    await using own = behind(bouncer.url, 'pgbouncer-transaction', false)
    const db = own.db as unknown as Kysely<Database>
    // Functions and blocks are not looked into.
    for (const text of leavers.slice(0, -1)) {
      await expect(db.connection().execute((connection) => sql.raw(text).execute(connection))).rejects.toMatchObject({
        code: 'NOT_BEHIND_POOLER',
      })
      await expect(db.transaction().execute((trx) => sql.raw(text).execute(trx))).rejects.toMatchObject({
        code: 'NOT_BEHIND_POOLER',
      })
    }
    expect(await seen(db)).toEqual([clean, clean])
    await db.transaction().execute(async (trx) => {
      await sql`set local app.x = 'mine'`.execute(trx)
      await sql`select pg_advisory_xact_lock(7)`.execute(trx)
      await sql`create temp table left_behind (id int) on commit drop`.execute(trx)
      await sql`declare c cursor for select 1`.execute(trx)
      expect((await trace.execute(trx)).rows[0]).toMatchObject({ setting: 'mine', temporary: 'left_behind', locks: 1 })
    })
    expect(await seen(db)).toEqual([clean, clean])
  })

  it('a connection goes past a pooler in transaction mode, where the topology tells how', async () => {
    await using bouncer = await startPgBouncer({ target: cluster.shards[0]!.url, poolMode: 'transaction' })
    await using own = behind(bouncer.url, 'pgbouncer-transaction')
    const db = own.db as unknown as Kysely<Database>
    for (const text of leavers) {
      await db.connection().execute(async (connection) => {
        await sql.raw(text).execute(connection)
        expect((await trace.execute(connection)).rows[0]).not.toEqual(clean)
        await connection.transaction().execute(async (trx) => {
          expect((await trace.execute(trx)).rows[0]).not.toEqual(clean)
        })
      })
      expect(await seen(db)).toEqual([clean, clean])
      expect(await db.connection().execute((connection) => trace.execute(connection))).toMatchObject({ rows: [clean] })
    }
    await expect(db.transaction().execute((trx) => sql`set app.x = 'left'`.execute(trx))).rejects.toMatchObject({
      code: 'NOT_BEHIND_POOLER',
    })
  })
})
