import { defineSchema, reference, type ShardKey, sharded } from '@shardwright/core'
import { describe, expect, it } from 'vitest'
import { keepInStep } from '../src/index.ts'
import { connect, rowsOf, until, useServer } from './support/databases.ts'

const server = useServer()

interface Database {
  festivals: { id: string; name: string }
  orders: { festival_id: ShardKey<string>; id: number; festival_name: string | null }
  users: { id: ShardKey<string>; nick: string }
}
const schema = defineSchema<Database>()({
  tables: { festivals: reference(), orders: sharded('festival_id'), users: sharded('id', { family: 'user_id' }) },
})
const options = { from: 'festivals.name', to: 'orders.festival_name', on: { from: 'id', to: 'festival_id' } } as const
const step = keepInStep<Database>(options, schema)
const sql = `
  create table festivals (id text primary key, name text not null);
  create table orders (festival_id text, id int, festival_name text, primary key (festival_id, id)) partition by hash (festival_id);
  create table orders_0 partition of orders for values with (modulus 2, remainder 0);
  create table orders_1 partition of orders for values with (modulus 2, remainder 1);
  insert into festivals values ('f1', 'One'), ('f2', 'Two');
  insert into orders select 'f' || 1 + n % 3, n, case when n < 5 then 'stale' end from generate_series(1, 30) n;`
const names = 'select distinct festival_id, festival_name from orders order by 1, 2'

describe('keepInStep', () => {
  it('brings what exists into step in batches, and then follows every write', async () => {
    const fleet = await server.fleet(sql, 2)
    expect((await step.verify(fleet)).map(({ outOfStep }) => outOfStep)).toEqual([21, 21])
    const reports = await step.install(fleet, { batchRows: 7 })
    expect(reports.map(({ outOfStep, backfilled }) => [outOfStep, backfilled])).toEqual([
      [0, 21],
      [0, 21],
    ])
    const [one, two, none] = [
      { festival_id: 'f1', festival_name: 'One' },
      { festival_id: 'f2', festival_name: 'Two' },
      { festival_id: 'f3', festival_name: null },
    ]
    expect(await rowsOf(fleet, names)).toEqual([one, two, none])
    await rowsOf(fleet, "insert into orders values ('f1', 100, 'forged')")
    await rowsOf(fleet, "update orders set festival_name = 'forged' where festival_id = 'f2'")
    expect(await rowsOf(fleet, names)).toEqual([one, two, none])
    await rowsOf(fleet, "update festivals set name = 'Uno' where id = 'f1'")
    await rowsOf(fleet, "insert into festivals values ('f3', 'Three')")
    await rowsOf(fleet, "delete from festivals where id = 'f2'")
    expect(await rowsOf(fleet, names)).toEqual([
      { ...one, festival_name: 'Uno' },
      { ...two, festival_name: null },
      { ...none, festival_name: 'Three' },
    ])
    expect((await step.install(fleet)).map(({ backfilled }) => backfilled)).toEqual([0, 0])
  })

  it('verify finds what a disabled trigger let through', async () => {
    const fleet = await server.fleet(sql)
    await step.install(fleet)
    await rowsOf(fleet, 'alter table festivals disable trigger user')
    await rowsOf(fleet, "update festivals set name = 'Uno' where id = 'f1'")
    expect((await step.verify(fleet))[0]?.outOfStep).toBe(10)
  })

  it('an order written while the name changes gets the new name', async () => {
    const fleet = await server.fleet(sql)
    await step.install(fleet)
    await using renamer = await connect(fleet)
    await renamer.script("begin; update festivals set name = 'Uno' where id = 'f1'")
    const insert = rowsOf(fleet, "insert into orders values ('f1', 200)")
    await until(
      async () =>
        (
          await rowsOf(
            fleet,
            "select 1 from pg_stat_activity where query like 'insert into orders%' and wait_event_type = 'Lock'",
          )
        ).length === 1,
    )
    await renamer.script('commit')
    await insert
    expect((await step.verify(fleet))[0]?.outOfStep).toBe(0)
    await renamer.script('begin isolation level repeatable read')
    await expect(renamer.query("update festivals set name = 'x'")).rejects.toThrow(/under READ COMMITTED/)
  })

  it('refuses columns on different shards', () => {
    const across = { from: 'users.nick', to: 'orders.festival_name', on: { from: 'id', to: 'festival_id' } } as const
    expect(() => keepInStep<Database>(across, schema)).toThrow(expect.objectContaining({ code: 'STEP_NOT_COLOCATED' }))
    expect(() => keepInStep<Database>({ ...options, from: 'festivals' as never })).toThrow(/table.column/)
  })
})
