import type { QueryCase } from './query-case.ts'

/** AVG travels as sum and count; all digits are those of one PostgreSQL. */
export function averageBasket(): QueryCase {
  return {
    title: 'The average order per kind of stand, with HAVING',
    ordered: true,
    run: async ({ fanOut }) =>
      await fanOut
        .selectFrom('orders as o')
        .innerJoin('stands as s', (join) =>
          join.onRef('s.festival_id', '=', 'o.festival_id').onRef('s.id', '=', 'o.stand_id'),
        )
        .select(({ fn }) => [
          's.kind',
          fn.countAll().as('orders'),
          fn.avg('o.total').as('average'),
          fn.min('o.total').as('least'),
          fn.max('o.total').as('most'),
        ])
        .groupBy('s.kind')
        .having(({ fn }) => fn.sum('o.items'), '>', 10)
        .orderBy('average', 'desc')
        .orderBy('s.kind')
        .execute(),
  }
}
