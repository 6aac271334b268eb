import { averageBasket } from './average-basket.ts'
import { bulkInsert } from './bulk-insert.ts'
import { distinctVisitors } from './distinct-visitors.ts'
import { expiredSessions } from './expired-sessions.ts'
import { medianPurchase } from './median-purchase.ts'
import type { QueryCase, Subject } from './query-case.ts'
import { revenuePerDay } from './revenue-per-day.ts'
import { revenuePerStand } from './revenue-per-stand.ts'
import { someFestivals } from './some-festivals.ts'
import { topStands } from './top-stands.ts'
import { topUp } from './top-up.ts'
import { visitorsTickets } from './visitors-tickets.ts'
import { walletHistory } from './wallet-history.ts'

/** What such a platform lives on. */
export function platformQueries(subject: Subject): readonly QueryCase[] {
  return [
    topUp(subject),
    walletHistory(subject),
    bulkInsert(subject),
    revenuePerStand(subject),
    visitorsTickets(subject),
    someFestivals(subject),
    revenuePerDay(subject),
    topStands(),
    distinctVisitors(),
    averageBasket(),
    medianPurchase(subject),
    expiredSessions(subject),
  ]
}
