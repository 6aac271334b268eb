import { defineSchema, noTelemetry, type ShardKey, sharded, type Telemetry } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { createShardRouter } from '@shardwright/shard-router'
import { type Insertable, Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

// The other columns take whatever the samples say.
interface Database {
  things: { k: ShardKey<number>; id: number; t: string | null }
}
type Row = Insertable<Database['things']>

const columns: Readonly<Record<string, string>> = {
  i2: 'smallint',
  i8: 'bigint',
  num: 'numeric(6,2)',
  f4: 'real',
  f8: 'double precision',
  b: 'boolean',
  t: 'text',
  v: 'varchar(5)',
  u: 'uuid',
  bytes: 'bytea',
  j: 'json',
  jb: 'jsonb',
  d: 'date',
  iv: 'interval',
  tm: 'time(2)',
  ts: 'timestamp(1)',
  tz: 'timestamptz',
}
const ddl = `create table things (k int not null, id int not null, ${Object.entries(columns)
  .map(([name, type]) => `"${name}" ${type}`)
  .join(', ')}, c char(3), arr int[], primary key (k, id))`

const samples: Readonly<Record<string, readonly unknown[]>> = {
  i2: [0, -32768, '7', 32767n],
  i8: [9007199254740993n, '-9223372036854775808', 12, -0],
  num: ['1.005', 12.5, '-9999.99', 'NaN'],
  f4: [1.5, 'Infinity', '-0', 1e-30],
  f8: [Number.MAX_SAFE_INTEGER, Number.NEGATIVE_INFINITY, 0.1, '1e308'],
  b: [true, false, 'yes', 'off'],
  t: ['', 'NULL', '{a,"b"}', 'back\\slash "quoted" \n\t\u{1f600} ,', ' null ', '\\x41', Buffer.from('bytes')],
  v: ['abcde', 'abc       ', '"', '\\'],
  u: ['00000000-0000-0000-0000-000000000001', '{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}'],
  bytes: [Buffer.from([0, 1, 92, 34, 255]), new Uint8Array([7, 8]), '\\xdeadbeef', 'plain', Buffer.alloc(0)],
  j: ['{"a": 1, "a": 2}', { x: ['y', null] }, '"text"', 5, '[1,2]'],
  jb: [{ q: '"\\' }, '"text"', true, 'null'],
  d: ['2026-02-28', 'infinity', '0044-03-15 BC'],
  iv: ['1 mon 2 days', '-00:00:01.5', 'P1Y'],
  tm: ['12:34:56.789', '24:00'],
  ts: ['2026-01-02 03:04:05.678', 'epoch', '-infinity'],
  tz: [
    new Date(86_400_000.5),
    new Date(1_780_000_000_789),
    new Date(253_402_300_800_000),
    '2026-06-01 00:00+05:30',
    new Date(-62_167_219_200_000),
  ],
}

describe('a split INSERT', () => {
  let cluster: LocalCluster
  let one: Kysely<Database>
  const schema = defineSchema<Database>()({ tables: { things: sharded('k') } })
  const open = () => createShardRouter({ schema, topology: { hash: 'postgres', ...cluster.topologyInput() } })
  let router: ReturnType<typeof open>

  beforeAll(async () => {
    cluster = await startLocalCluster({ shards: 3, databasePerShard: true })
    for (const shard of cluster.fleet().shards) {
      await using connection = await shard.connect()
      await connection.script(ddl)
    }
    const url = await cluster.shards[0]!.createDatabase('alone')
    one = new Kysely<Database>({
      dialect: new PostgresDialect({
        pool: new pg.Pool({ connectionString: url, options: '-c TimeZone=UTC', max: 1 }),
      }),
    })
    await one.executeQuery({ sql: ddl, parameters: [], query: { kind: 'RawNode' } as never, queryId: {} as never })
    router = open()
  })
  afterAll(async () => {
    await router?.close()
    await one?.destroy()
    await cluster?.stop()
  })

  const rowsOf = (names: readonly string[]): Row[] =>
    Array.from({ length: 24 }, (_, id) => ({
      k: id % 8,
      id,
      ...(Object.fromEntries(
        names.map((name, at) => {
          const list = samples[name]!
          return [name, id % 6 === 5 ? null : list[(id + at) % list.length]]
        }),
      ) as { t: string | null }),
    }))
  const stored = async (db: Kysely<Database>) => {
    const rows = await db.selectFrom('things').selectAll().execute()
    return rows.toSorted((a, b) => a.id - b.id)
  }
  const clear = () => Promise.all([one.deleteFrom('things').execute(), router.fanOut().deleteFrom('things').execute()])
  const codeOf = (work: Promise<unknown>) =>
    work.then(
      () => 'done',
      (error: { code: string }) => error.code,
    )

  it.each([[Object.keys(columns)], [['t']], [['bytes']], [['j', 'jb']], [['f4', 'f8']]])(
    'stores what one PostgreSQL stores: %s',
    async (names) => {
      await clear()
      const rows = rowsOf(names)
      const ours = await router.db.insertInto('things').values(rows).returning(['id', 'k']).execute()
      const theirs = await one.insertInto('things').values(rows).returning(['id', 'k']).execute()
      expect(ours).toEqual(theirs)
      expect(await stored(router.fanOut())).toEqual(await stored(one))
    },
  )

  it('of types without a plain text form, and of expressions, too', async () => {
    await clear()
    const rows = Array.from({ length: 9 }, (_, id) => ({ k: id, id, c: `c${id}`, arr: [id, id + 1], t: `t${id}` }))
    for (const db of [router.db, one]) {
      await db.insertInto('things').values(rows).execute()
      await db
        .insertInto('things')
        .values((eb) => [3, 4, 5].map((k) => ({ k, id: 100 + k, t: eb.val('x'), i8: eb.lit(k) })))
        .execute()
    }
    expect(await stored(router.fanOut())).toEqual(await stored(one))
  })

  it('ends conflicts, counts and failures alike', async () => {
    await clear()
    const rows = rowsOf(['t', 'num'])
    const upsert = (db: Kysely<Database>) =>
      db
        .insertInto('things')
        .values(rows)
        .onConflict((oc) => oc.columns(['k', 'id']).doUpdateSet({ t: (eb) => eb('excluded.t', '||', '!') }))
        .executeTakeFirst()
    for (const db of [router.db, one]) {
      expect((await upsert(db)).numInsertedOrUpdatedRows).toBe(24n)
      expect((await upsert(db)).numInsertedOrUpdatedRows).toBe(24n)
    }
    expect(await stored(router.fanOut())).toEqual(await stored(one))
    const bad = [
      { v: 'too long' },
      { i2: 32768 },
      { u: 'no uuid' },
      { num: '10000' },
      { t: 'a\u0000b' },
      { jb: '{' },
      { d: 'x' },
    ]
    for (const values of bad) {
      const [name, value] = Object.entries(values)[0]!
      const failing = Array.from(
        { length: 6 },
        (_, k) => ({ k, id: 500, [name]: k === 4 ? value : null }) as unknown as Row,
      )
      const [ours, theirs] = [router.db, one].map((db) => codeOf(db.insertInto('things').values(failing).execute()))
      expect(await ours, name).toBe(await theirs)
    }
    expect(await codeOf(router.db.insertInto('things').values(rows).execute())).toBe('23505')
    expect(await stored(router.fanOut())).toEqual(await stored(one))
  })

  it('is prepared behind its rows once its sessions are known, and not where it may write nothing', async () => {
    await clear()
    const texts: string[] = []
    const telemetry: Telemetry = {
      ...noTelemetry,
      span: (_name, attributes) => {
        texts.push(String(attributes?.['db.query.text']))
        return { end() {} }
      },
    }
    const steps: string[] = []
    const atomic = { onStep: ({ step }: { readonly step: string }) => void steps.push(step) }
    await using watched = createShardRouter({ schema, topology: router.topology, telemetry, atomic })
    // Every shard has to decide once.
    const rows = (first: number, id: number) => Array.from({ length: 12 }, (_, n) => ({ k: (n + first) % 12, id }))
    for (let turn = 0; turn < 12; turn++) await watched.db.insertInto('things').values(rows(turn, turn)).execute()
    const prepares = () => texts.filter((text) => text.includes('prepare transaction')).length
    const before = prepares()
    steps.length = 0
    const returned = await watched.db.insertInto('things').values(rows(3, 100)).returning('k').execute()
    expect(returned.map(({ k }) => k)).toEqual(rows(3, 100).map(({ k }) => k))
    expect(steps.filter((step) => step === 'after prepare')).toHaveLength(2)
    expect(prepares()).toBe(before)
    expect(await codeOf(watched.db.insertInto('things').values(rows(0, 100)).execute())).toBe('23505')
    const ignoring = watched.db.insertInto('things').onConflict((oc) => oc.doNothing())
    await ignoring.values(rows(0, 101)).execute()
    expect(prepares()).toBe(before + 2)
    steps.length = 0
    expect((await ignoring.values(rows(0, 101)).executeTakeFirst()).numInsertedOrUpdatedRows).toBe(0n)
    expect(steps).toEqual([])
  })

  it('that a change of its table made stale on all shards is run anew, unseen', async () => {
    await clear()
    const insert = (id: number) =>
      router.db
        .insertInto('things')
        .values([0, 1, 2, 3, 4, 5].map((n) => ({ k: (n + id) % 6, id })))
        .returningAll()
        .execute()
    for (let id = 0; id < 12; id++) await insert(id)
    for (const shard of cluster.fleet().shards) {
      await using connection = await shard.connect()
      await connection.script('alter table things add column late int default 7')
    }
    const rows = await insert(50)
    expect(rows).toHaveLength(6)
    for (const row of rows) expect(row).toMatchObject({ id: 50, late: 7 })
    for (const shard of cluster.fleet().shards) {
      await using connection = await shard.connect()
      await connection.script('alter table things drop column late')
    }
    expect((await insert(51))[0]).not.toHaveProperty('late')
  })

  it('of any number of rows has one text', async () => {
    await clear()
    const texts = new Set<string>()
    const telemetry: Telemetry = {
      ...noTelemetry,
      span: (name, attributes) => {
        if (name === 'INSERT things') texts.add(String(attributes?.['db.query.text']))
        return { end() {} }
      },
    }
    await using watched = createShardRouter({ schema, topology: router.topology, telemetry })
    for (const count of [7, 20, 33, 400]) {
      const rows = Array.from({ length: count }, (_, k) => ({ k, id: count, t: `${k}` }))
      expect((await watched.db.insertInto('things').values(rows).executeTakeFirst()).numInsertedOrUpdatedRows).toBe(
        BigInt(count),
      )
    }
    expect([...texts]).toHaveLength(1)
  })
})
