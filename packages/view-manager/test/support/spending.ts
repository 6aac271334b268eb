import type { Generated } from 'kysely'
import { defineView } from '../../src/index.ts'

export interface Spending {
  transactions: { user_id: string; id: number; category: string; amount: string; created_at: Generated<Date> }
  monthly: { user_id: string; category: string; total: string; number: string }
  totals: { user_id: string; total: string }
}

export const spendingSql = `
  create table transactions (
    user_id text, id int, category text not null, amount numeric(12,2) not null,
    created_at timestamptz not null default now(), primary key (user_id, id));
  insert into transactions (user_id, id, category, amount)
    select 'u' || n % 5, n, 'c' || n % 3, n from generate_series(1, 60) n;`

export const monthly = defineView<Spending>()({
  name: 'monthly',
  query: (db) =>
    db
      .selectFrom('transactions')
      .where('category', '!=', "it's")
      .groupBy(['user_id', 'category'])
      .select((eb) => [
        'user_id',
        'category',
        eb.fn.sum<string>('amount').as('total'),
        eb.fn.countAll<string>().as('number'),
      ]),
  uniqueOn: ['user_id', 'category'],
})

/** Reads `monthly`. */
export const totals = defineView<Spending>()({
  name: 'totals',
  query: (db) =>
    db
      .selectFrom('monthly')
      .groupBy('user_id')
      .select((eb) => ['user_id', eb.fn.sum<string>('total').as('total')]),
  uniqueOn: ['user_id'],
})
