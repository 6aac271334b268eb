import type { QueryCase, Subject } from './query-case.ts'

/** One INSERT with rows of many festivals: split by shard, committed on all of them or on none. */
export function bulkInsert({ data, months }: Subject): QueryCase {
  const rows = data.festivals.slice(0, 12).flatMap(({ id: festival_id }, index) => {
    const wallet = data.rows.wallets.find((row) => row.festival_id === festival_id)
    if (!wallet) return []
    const placed_at = new Date(months.endMs - 120_000 + index)
    return [
      {
        festival_id,
        id: String(900_000_000 + index),
        wallet_id: wallet.id,
        stand_id: 1,
        items: 2,
        total: '17.80',
        placed_at,
      },
    ]
  })
  return {
    title: 'One INSERT with orders of twelve festivals',
    ordered: true,
    writes: true,
    run: async (doors) =>
      await doors.db.insertInto('orders').values(rows).returning(['festival_id', 'id', 'total']).execute(),
  }
}
