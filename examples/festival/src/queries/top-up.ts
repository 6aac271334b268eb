import type { QueryCase, Subject } from './query-case.ts'

/** A visitor pays money into a wallet: two tables, one shard, one transaction. */
export function topUp({ data, months }: Subject): QueryCase {
  const festival_id = data.festivals[0]?.id ?? ''
  const wallet = data.rows.wallets.find((row) => row.festival_id === festival_id)
  const wallet_id = String(wallet?.id)
  return {
    title: 'A visitor tops up a wallet, in a transaction',
    ordered: true,
    writes: true,
    festival: festival_id,
    run: async (doors) =>
      await doors
        .forFestival(festival_id)
        .transaction()
        .execute(async (trx) => {
          await trx
            .insertInto('transactions')
            .values({
              festival_id,
              id: '900000001',
              wallet_id,
              user_id: String(wallet?.user_id),
              stand_id: null,
              kind: 'top-up',
              amount: '25.00',
              created_at: new Date(months.endMs - 60_000),
            })
            .execute()
          return await trx
            .updateTable('wallets')
            .set((eb) => ({ balance: eb('balance', '+', '25.00') }))
            .where('id', '=', wallet_id)
            .where('festival_id', '=', festival_id)
            .returningAll()
            .execute()
        }),
  }
}
