import type { QueryCase } from './query-case.ts'

/** A visitor of two festivals on two shards counts once: the distinct ids travel, and PostgreSQL counts them. */
export function distinctVisitors(): QueryCase {
  return {
    title: 'Distinct visitors per region',
    ordered: true,
    run: async ({ fanOut }) =>
      await fanOut
        .selectFrom('wallets as w')
        .innerJoin('festivals as f', 'f.id', 'w.festival_id')
        .select(({ fn }) => ['f.region', fn.count('w.user_id').distinct().as('visitors'), fn.countAll().as('wallets')])
        .groupBy('f.region')
        .orderBy('f.region')
        .execute(),
  }
}
