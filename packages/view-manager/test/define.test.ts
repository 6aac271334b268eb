import { defineSchema, type ShardKey, sharded } from '@shardwright/core'
import { CamelCasePlugin, sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { createViewManager, defineRollup, defineView, type View, ViewError } from '../src/index.ts'
import { monthly, type Spending, totals } from './support/spending.ts'

const fleet = { topologyId: 't', shards: [] }

describe('defineView', () => {
  it('inlines constants, quoted', () => {
    expect(monthly.sql).toContain(`where "category" != 'it''s'`)
    expect(monthly.reads).toEqual(['transactions'])
  })

  it('compiles with the plugins of its Database', () => {
    interface Camel {
      tasks: { userId: string }
      user_stats: { user_id: string }
    }
    const view = defineView<Camel>()({
      name: 'user_stats',
      query: (db) => db.selectFrom('tasks').select('userId as user_id').distinct(),
      uniqueOn: ['user_id'],
      plugins: [new CamelCasePlugin()],
    })
    expect(view.sql).toBe('select distinct "user_id" as "user_id" from "tasks"')
  })

  it('has another hash when the query, the unique columns or the indexes change, and only then', () => {
    const make = (limit: number, every?: string) =>
      defineView<Spending>()({
        name: 'totals',
        query: (db) => db.selectFrom('monthly').select(['user_id', 'total']).where('total', '>', `${limit}`),
        uniqueOn: ['user_id'],
        ...(every && { refresh: { every } }),
      }).hash
    expect(make(1)).toBe(make(1, '1 day'))
    expect(make(1)).not.toBe(make(2))
  })

  it('refuses what it cannot use', () => {
    const base = { name: 'totals', query: () => sql`select 1` as never, uniqueOn: ['user_id'] } as const
    const define = defineView<Spending>()
    expect(() => define({ ...base, uniqueOn: [] })).toThrow(/at least one column/)
    expect(() =>
      define({ ...base, query: (db) => db.selectFrom('totals').selectAll(), refresh: { every: 'soon' } }),
    ).toThrow(/'soon' .* is neither/)
    expect(() => define({ ...base, query: (db) => db.deleteFrom('totals').returningAll() as never })).toThrow(
      /DeleteQueryNode/,
    )
    // @ts-expect-error the rows are not those of `totals`
    define({ ...base, query: (db) => db.selectFrom('transactions').select('category') })
    // @ts-expect-error there is no such column
    define({ ...base, query: (db) => db.selectFrom('totals').selectAll(), uniqueOn: ['nothing'] })
  })

  it('refuses a rollup with two columns of one name', () => {
    expect(() =>
      defineRollup<{ a: { bucket: Date; k: string }; s: { k: string; at: Date } }>()({
        name: 'a',
        source: 's',
        time: 'at',
        bucket: 'day',
        keys: ['k'],
        measures: { k: { max: 'k' } },
      }),
    ).toThrow(/two columns 'k'/)
  })
})

describe('createViewManager', () => {
  const view = (name: string, reads: string): View => ({ ...monthly, name, reads: [reads] })

  it('orders views by what they read and refuses a circle', () => {
    expect(() => createViewManager({ fleet, views: [view('a', 'b'), view('b', 'c'), view('c', 'a')] })).toThrow(
      expect.objectContaining({ code: 'VIEW_CYCLE', message: expect.stringContaining('a -> b -> c -> a') }),
    )
  })

  it('refuses two of one name and unknown options', () => {
    expect(() => createViewManager({ fleet, views: [monthly, monthly] })).toThrow(/'monthly'/)
    expect(() => createViewManager({ fleet, vews: [] } as never)).toThrow(ViewError)
  })

  it('checks placements: the shard key tells the rows of two shards apart', () => {
    interface Placed {
      transactions: { user_id: ShardKey<string>; id: number }
      monthly: { user_id: ShardKey<string>; category: string }
      totals: { user_id: ShardKey<string>; total: string }
    }
    const schema = defineSchema<Placed>()({
      tables: { transactions: sharded('user_id'), monthly: sharded('user_id'), totals: sharded('user_id') },
    })
    expect(() => createViewManager({ fleet, views: [monthly, totals], schema })).not.toThrow()
    const perCategory = { ...monthly, uniqueOn: ['category'] }
    expect(() => createViewManager({ fleet, views: [perCategory], schema })).toThrow(/each have a part of a row/)
    expect(() => createViewManager({ fleet, views: [{ ...totals, family: 'festival_id' }], schema })).toThrow(/family/)
    expect(() => createViewManager({ fleet, views: [{ ...totals, name: 'nowhere' }], schema })).toThrow(/no placement/)
  })
})
