import type { QueryCase, Subject } from './query-case.ts'

/** Keys in a list: only their shards are asked. */
export function someFestivals({ data }: Subject): QueryCase {
  const festivals = [0, 3, 8].flatMap((index) => data.festivals[index]?.id ?? [])
  return {
    title: 'The money in the wallets of three festivals, with their names',
    ordered: true,
    run: async ({ fanOut }) =>
      await fanOut
        .selectFrom('wallets as w')
        .innerJoin('festivals as f', 'f.id', 'w.festival_id')
        .where('w.festival_id', 'in', festivals)
        .select(({ fn }) => ['f.name', fn.countAll().as('wallets'), fn.sum('w.balance').as('money')])
        .groupBy('f.name')
        .orderBy('f.name')
        .execute(),
  }
}
