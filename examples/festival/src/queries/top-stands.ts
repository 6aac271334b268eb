import type { QueryCase } from './query-case.ts'

/** LIMIT may not be pushed down here by itself: which stands are first is known only after the merge. */
export function topStands(): QueryCase {
  return {
    title: 'The top 10 stands of all festivals',
    ordered: true,
    run: async ({ fanOut }) =>
      await fanOut
        .selectFrom('transactions as t')
        .innerJoin('stands as s', (join) =>
          join.onRef('s.festival_id', '=', 't.festival_id').onRef('s.id', '=', 't.stand_id'),
        )
        .select(({ fn }) => ['t.festival_id', 's.name', fn.sum('t.amount').as('revenue')])
        .groupBy(['t.festival_id', 's.id', 's.name'])
        .orderBy('revenue', 'desc')
        .orderBy('t.festival_id')
        .orderBy('s.id')
        .limit(10)
        .execute(),
  }
}
