import type { QueryCase, Subject } from './query-case.ts'

const weekMs = 7 * 86_400_000

/** Groups by an expression, over all festivals: partial sums, merged in process. */
export function revenuePerDay({ months }: Subject): QueryCase {
  const since = new Date(months.endMs - weekMs)
  return {
    title: 'Revenue per day of all festivals, the last week',
    ordered: true,
    run: async ({ fanOut }) =>
      await fanOut
        .selectFrom('transactions')
        .where('kind', '=', 'purchase')
        .where('created_at', '>=', since)
        .select(({ fn, val }) => [
          fn<Date>('date_trunc', [val('day'), 'created_at']).as('day'),
          fn.countAll().as('sales'),
          fn.sum('amount').as('revenue'),
        ])
        .groupBy('day')
        .orderBy('day')
        .execute(),
  }
}
