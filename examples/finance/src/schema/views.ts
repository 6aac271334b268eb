import { defineView } from '@shardwright/view-manager'
import { sql } from 'kysely'
import type { Database } from './database.ts'

const month = sql<string>`to_char(created_at at time zone 'UTC', 'YYYY-MM')`

export const monthlySpendingSummary = defineView<Database>()({
  name: 'monthly_spending_summary',
  query: (db) =>
    db
      .selectFrom('transactions')
      .groupBy(['user_id', month, 'category'])
      .select((eb) => [
        'user_id',
        month.as('month'),
        'category',
        eb.fn.sum<string>('amount').as('total'),
        eb.fn.countAll<string>().as('transactions'),
      ]),
  uniqueOn: ['user_id', 'month', 'category'],
  family: 'user_id',
  refresh: { every: '1 day', after: { changes: 1000, seconds: 60 } },
})

export const budgetUtilization = defineView<Database>()({
  name: 'budget_utilization',
  query: (db) =>
    db
      .selectFrom('budgets as b')
      .innerJoin('monthly_spending_summary as s', (join) =>
        join.onRef('s.user_id', '=', 'b.user_id').onRef('s.category', '=', 'b.category'),
      )
      .select([
        'b.user_id',
        's.month',
        'b.category',
        'b.monthly_limit',
        's.total as spent',
        sql<string>`round(100 * s.total / b.monthly_limit, 1)`.as('used_percent'),
      ]),
  uniqueOn: ['user_id', 'month', 'category'],
  family: 'user_id',
  refresh: { every: '1 day', after: { changes: 1000, seconds: 60 } },
})
