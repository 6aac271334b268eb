import type { QueryCase, Subject } from './query-case.ts'

/** The other key family: tickets by user, with a reference table. */
export function visitorsTickets({ data }: Subject): QueryCase {
  const user = String(data.rows.tickets[0]?.user_id)
  return {
    title: "A visitor's tickets, with the festivals",
    ordered: true,
    run: async ({ db }) =>
      await db
        .selectFrom('tickets')
        .innerJoin('festivals', 'festivals.id', 'tickets.festival_id')
        .where('tickets.user_id', '=', user)
        .select(['festivals.name', 'festivals.country', 'tickets.kind', 'tickets.price'])
        .orderBy('tickets.id')
        .execute(),
  }
}
