import { transactions } from '../schema/repositories.ts'
import type { QueryCase, Subject } from './query-case.ts'

/** The page that a visitor looks at, by a typed repository. */
export function walletHistory({ data }: Subject): QueryCase {
  const festival_id = data.festivals[0]?.id ?? ''
  const wallet_id = String(data.rows.wallets.find((row) => row.festival_id === festival_id)?.id)
  return {
    title: "A wallet's history, the last 8 entries",
    ordered: true,
    run: async (doors) =>
      await transactions.with(doors.db).findMany(
        { festival_id, wallet_id },
        {
          orderBy: [
            ['created_at', 'desc'],
            ['id', 'desc'],
          ],
          limit: 8,
        },
      ),
  }
}
