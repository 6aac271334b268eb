import type { QueryCase, Subject } from './query-case.ts'

/** No partial result gives a median: the rows travel, and PostgreSQL computes it. */
export function medianPurchase({ months }: Subject): QueryCase {
  const since = new Date(months.endMs - 3 * 86_400_000)
  return {
    title: 'The median purchase per region, the last three days',
    ordered: true,
    run: async ({ fanOut }) =>
      await fanOut
        .selectFrom('transactions as t')
        .innerJoin('festivals as f', 'f.id', 't.festival_id')
        .where('t.kind', '=', 'purchase')
        .where('t.created_at', '>=', since)
        .select(({ fn, lit }) => [
          'f.region',
          fn
            .agg<number>('percentile_disc', [lit(0.5)])
            .withinGroupOrderBy('t.amount')
            .as('median'),
        ])
        .groupBy('f.region')
        .orderBy('f.region')
        .execute(),
  }
}
