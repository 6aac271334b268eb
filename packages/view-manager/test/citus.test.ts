// A Citus coordinator is a fleet of one: its views stand on the coordinator, over tables whose rows are elsewhere.
import { createFleet, type Fleet } from '@shardwright/core'
import {
  type CitusCluster,
  type CitusDatabase,
  citusAvailability,
  citusFromEnvironment,
} from '@shardwright/local-cluster'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createViewManager, defineRollup, followAcrossShards, keepInStep } from '../src/index.ts'
import { rowsOf, until } from './support/databases.ts'
import { monthly, type Spending, spendingSql, totals } from './support/spending.ts'

const { available } = await citusAvailability()

describe.skipIf(!available)('on Citus', () => {
  let citus: CitusCluster
  let database: CitusDatabase
  let fleet: Fleet

  beforeAll(async () => {
    citus = await citusFromEnvironment()
    database = await citus.createDatabase()
    fleet = createFleet({ shards: [{ id: 'coordinator', url: database.url }], Client: pg.Client })
    const [table = '', rows = ''] = spendingSql.split(/(?=insert into)/)
    await rowsOf(fleet, table)
    await rowsOf(fleet, "select create_distributed_table('transactions', 'user_id')")
    await rowsOf(fleet, rows)
  }, 120_000)
  afterAll(async () => {
    await database?.[Symbol.asyncDispose]()
    await citus?.stop()
  })

  it('views are installed, refreshed first plain, then concurrently, and triggered by changes on the workers', async () => {
    const often = { ...monthly, refresh: { ...monthly.refresh, after: { changes: 5, seconds: 3600 } } }
    const triggered = { ...totals, refresh: { ...totals.refresh, after: { changes: 5, seconds: 3600 } } }
    const manager = createViewManager({ fleet, views: [triggered, often], pollMs: 200 })
    await manager.install()
    const first = await manager.refresh()
    expect(first.flatMap(({ failure }) => failure ?? [])).toEqual([])
    expect(first.map(({ outcome, mode }) => [outcome, mode])).toEqual([
      ['refreshed', 'plain'],
      ['refreshed', 'plain'],
    ])
    const direct = 'select user_id, sum(amount) as total from transactions group by 1 order by 1'
    expect(await rowsOf(fleet, 'select * from totals order by 1')).toEqual(await rowsOf(fleet, direct))
    await using schedule = manager.start()
    await rowsOf(
      fleet,
      "insert into transactions (user_id, id, category, amount) select 'late', n, 'c', 2 from generate_series(1, 10) n",
    )
    await until(
      async () => (await rowsOf(fleet, "select 1 from totals where user_id = 'late' and total = 20")).length === 1,
    )
    await schedule.stop()
    expect(await rowsOf(fleet, 'select * from totals order by 1')).toEqual(await rowsOf(fleet, direct))
  })

  it('a rollup, which needs a trigger, is refused, and leaves nothing behind', async () => {
    const perDay = defineRollup<Spending & { per_day: { bucket: Date; user_id: string; total: string } }>()({
      name: 'per_day',
      source: 'transactions',
      time: 'created_at',
      bucket: 'day',
      keys: ['user_id'],
      measures: { total: { sum: 'amount' } },
    })
    await expect(createViewManager({ fleet, rollups: [perDay] }).install()).rejects.toMatchObject({
      code: 'TRIGGER_ON_CITUS',
      details: { table: '"public"."transactions"' },
    })
    expect(await rowsOf(fleet, "select to_regclass('per_day') as left_behind")).toEqual([{ left_behind: null }])
  })

  it('so is a column in step, from either end', async () => {
    interface People {
      people: { id: string; name: string }
      transactions: { user_id: string; category: string }
    }
    await rowsOf(fleet, 'create table people (id text primary key, name text)')
    await rowsOf(fleet, "select create_reference_table('people')")
    const options = { from: 'people.name', to: 'transactions.category', on: { from: 'id', to: 'user_id' } } as const
    for (const step of [keepInStep<People>(options), followAcrossShards<People>(options)]) {
      await expect(step.install(fleet)).rejects.toMatchObject({ code: 'TRIGGER_ON_CITUS' })
    }
  })
})
