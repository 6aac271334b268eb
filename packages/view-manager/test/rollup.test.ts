import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createViewManager, defineRollup, type RefreshReport } from '../src/index.ts'
import { connect, rowsOf, useServer } from './support/databases.ts'

const server = useServer()

interface Database {
  payments: { user_id: string; amount: string; at: Date }
  per_day: { bucket: Date; user_id: string; total: string; number: string; last: Date }
}

const zone = 'Europe/Brussels'
const perDay = defineRollup<Database>()({
  name: 'per_day',
  source: 'payments',
  time: 'at',
  bucket: 'day',
  zone,
  keys: ['user_id'],
  measures: { total: { sum: 'amount' }, number: { count: true }, last: { max: 'at' } },
})
const sql = `
  create table payments (user_id text, amount numeric, at timestamptz not null) partition by range (at);
  create table payments_1 partition of payments for values from ('2026-01-01 00:00+01') to ('2026-02-01 00:00+01');
  create table payments_2 partition of payments for values from ('2026-02-01 00:00+01') to ('2026-04-01 00:00+02');`
const kept = 'select bucket::text, user_id, total::text, number::int, last::text from per_day order by 1, 2'
const direct = `select date_trunc('day', at, '${zone}')::text as bucket, user_id, sum(amount)::text as total, count(*)::int as number,
  max(at)::text as last from payments group by 1, 2 order by 1, 2`

async function prepare(more = '') {
  const fleet = await server.fleet(sql + more)
  const manager = createViewManager({ fleet, rollups: [perDay] })
  await manager.install()
  return { fleet, refresh: async (): Promise<RefreshReport | undefined> => (await manager.refresh())[0], manager }
}

describe('a rollup', () => {
  it('has the rows from before it, and then sums up only the buckets that changed', async () => {
    const { fleet, refresh, manager } = await prepare(
      "insert into payments select 'u' || n % 3, n, timestamptz '2026-01-05 12:00+01' + n * interval '1 day' from generate_series(1, 40) n",
    )
    expect(await refresh()).toMatchObject({ outcome: 'refreshed', buckets: 40, frozenBuckets: 0 })
    expect(await rowsOf(fleet, kept)).toEqual(await rowsOf(fleet, direct))
    expect(await refresh()).toMatchObject({ buckets: 0 })
    // A row moves from one day to another, and 100 rows come in one statement: three days, four notes at most.
    await rowsOf(fleet, "update payments set at = at + interval '1 day' where at = '2026-01-10 12:00+01'")
    await rowsOf(fleet, "insert into payments_2 select 'u8', 1, '2026-02-20 10:00+01' from generate_series(1, 100)")
    expect(await rowsOf(fleet, 'select count(*)::int as notes from shardwright.rollup_changes')).toEqual([{ notes: 3 }])
    expect(await refresh()).toMatchObject({ buckets: 3 })
    expect(await rowsOf(fleet, kept)).toEqual(await rowsOf(fleet, direct))
    expect((await manager.install())[0]?.outcome).toBe('unchanged')
  })

  it('keeps its history when retention drops a partition, also against rows that come late', async () => {
    const { fleet, refresh } = await prepare(
      "insert into payments values ('a', 5, '2026-01-10 12:00+01'), ('a', 7, '2026-02-10 12:00+01')",
    )
    await refresh()
    await rowsOf(fleet, 'drop table payments_1')
    await rowsOf(fleet, "insert into payments values ('a', 1, '2026-02-10 13:00+01')")
    expect(await refresh()).toMatchObject({ buckets: 1, frozenBuckets: 0 })
    const expected = [
      { bucket: '2026-01-09 23:00:00+00', total: '5' },
      { bucket: '2026-02-09 23:00:00+00', total: '8' },
    ]
    const now = () => rowsOf(fleet, 'select bucket::text, total::text from per_day order by 1')
    const utc = async () => (await now()).map((row) => ({ ...row, bucket: new Date(`${row.bucket}`).getTime() }))
    const wanted = expected.map((row) => ({ ...row, bucket: new Date(row.bucket).getTime() }))
    expect(await utc()).toEqual(wanted)
    await rowsOf(
      fleet,
      "create table payments_late partition of payments for values from ('2026-01-01 00:00+01') to ('2026-02-01 00:00+01')",
    )
    await rowsOf(fleet, "insert into payments values ('a', 100, '2026-01-10 14:00+01')")
    expect(await refresh()).toMatchObject({ buckets: 0, frozenBuckets: 1 })
    expect(await utc()).toEqual(wanted)
    // All partitions gone: all of it is history.
    await rowsOf(fleet, 'drop table payments_late, payments_2')
    await refresh()
    await rowsOf(
      fleet,
      "create table payments_new partition of payments for values from ('2026-02-01 00:00+01') to ('2026-05-01 00:00+02')",
    )
    await rowsOf(
      fleet,
      "insert into payments values ('a', 100, '2026-02-10 14:00+01'), ('a', 2, '2026-03-31 14:00+02')",
    )
    expect(await refresh()).toMatchObject({ buckets: 1, frozenBuckets: 2 })
    expect((await now()).map(({ total }) => total)).toEqual(['5', '8', '2'])
  })

  it('misses no change of a transaction that commits while it refreshes', async () => {
    const { fleet, refresh } = await prepare()
    await using writer = await connect(fleet)
    await writer.script("begin; insert into payments values ('a', 1, '2026-01-10 12:00+01')")
    expect(await refresh()).toMatchObject({ buckets: 0 })
    await writer.script(
      "savepoint s; insert into payments values ('b', 1, '2026-01-11 12:00+01'); rollback to s; insert into payments values ('b', 2, '2026-01-11 12:00+01'); commit",
    )
    expect(await refresh()).toMatchObject({ buckets: 2 })
    expect(await rowsOf(fleet, kept)).toEqual(await rowsOf(fleet, direct))
  })

  it('refuses a time that is not timestamptz, and another definition under the same name', async () => {
    const fleet = await server.fleet('create table payments (user_id text, amount numeric, at timestamp not null)')
    await expect(createViewManager({ fleet, rollups: [perDay] }).install()).rejects.toThrow(
      /is timestamp without time zone/,
    )
    const { fleet: other } = await prepare()
    const install = createViewManager({ fleet: other, rollups: [{ ...perDay, hash: 'x' }] }).install()
    await expect(install).rejects.toThrow(/never rebuilt/)
  })

  it.each([
    ['day', 'Africa/Cairo', '2026-04-23'],
    ['day', 'America/Havana', '2026-03-07'],
    ['day', 'America/St_Johns', '2010-11-06'],
    ['week', 'America/Sao_Paulo', '2018-11-03'],
    ['hour', 'Australia/Lord_Howe', '2026-04-04'],
    ['hour', 'Australia/Lord_Howe', '2026-10-03'],
  ] as const)(
    'by %s in %s equals the direct sum where the clocks change, bucket by bucket',
    async (bucket, place, from) => {
      const fleet = await server.fleet(`create table payments (user_id text, amount numeric, at timestamptz not null);
      insert into payments select 'a', n, timestamptz '${from} 06:00+00' + n * interval '10 minutes' from generate_series(0, 300) n`)
      const rollup = defineRollup<Database>()({
        name: 'per_day',
        source: 'payments',
        time: 'at',
        bucket,
        zone: place,
        keys: ['user_id'],
        measures: { total: { sum: 'amount' }, number: { count: true }, last: { max: 'at' } },
      })
      const manager = createViewManager({ fleet, rollups: [rollup] })
      await manager.install()
      await manager.refresh()
      const sums = direct.replace(`'day', at, '${zone}'`, `'${bucket}', at, '${place}'`)
      // All days; of the hours those about the change.
      for (const hour of bucket === 'hour' ? [7, 8, 9, 10] : [0, 12, 20, 36]) {
        await rowsOf(
          fleet,
          `update payments set amount = amount + 1 where amount between ${hour * 6} and ${hour * 6 + 1}`,
        )
        const [report] = await manager.refresh()
        expect(report?.failure).toBeUndefined()
        expect(await rowsOf(fleet, kept)).toEqual(await rowsOf(fleet, sums))
      }
    },
  )

  it('equals the direct sum after any writes', async () => {
    const { fleet, refresh } = await prepare()
    const day = fc.integer({ min: 0, max: 85 })
    const user = fc.constantFrom("'a'", "'b'", 'null')
    const amount = fc.constantFrom('1.10', '-2', 'null', '0.003')
    const at = (days: number) => `timestamptz '2026-01-01 00:00+01' + interval '${days * 24 + 1} hours'`
    const write = fc.oneof(
      fc.tuple(user, amount, day).map(([u, a, d]) => `insert into payments values (${u}, ${a}, ${at(d)})`),
      fc.tuple(day, day).map(([d, e]) => `update payments set at = ${at(e)} where at = ${at(d)}`),
      fc.tuple(day, amount).map(([d, a]) => `update payments set amount = ${a} where at >= ${at(d)}`),
      day.map((d) => `delete from payments where at < ${at(d)}`),
    )
    await using connection = await connect(fleet)
    await fc.assert(
      fc.asyncProperty(fc.array(write, { minLength: 1, maxLength: 6 }), async (writes) => {
        for (const statement of writes) await connection.query(statement)
        expect(await refresh()).toMatchObject({ outcome: 'refreshed' })
        expect((await connection.query(kept)).rows).toEqual((await connection.query(direct)).rows)
      }),
      { numRuns: 25 },
    )
  })
})
