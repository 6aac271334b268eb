import type { QueryCase, Subject } from './query-case.ts'

/** What the organiser of one festival sees: a join inside the key family stays on its shard. */
export function revenuePerStand({ data }: Subject): QueryCase {
  const festival = data.festivals[0]?.id ?? ''
  return {
    title: "An organiser's revenue per stand",
    ordered: true,
    run: async ({ db }) =>
      await db
        .selectFrom('transactions as t')
        .innerJoin('stands as s', (join) =>
          join.onRef('s.festival_id', '=', 't.festival_id').onRef('s.id', '=', 't.stand_id'),
        )
        .where('t.festival_id', '=', festival)
        .select(({ fn }) => ['s.id', 's.name', fn.countAll().as('sales'), fn.sum('t.amount').as('revenue')])
        .groupBy(['s.id', 's.name'])
        .orderBy('revenue', 'desc')
        .orderBy('s.id')
        .limit(8)
        .execute(),
  }
}
