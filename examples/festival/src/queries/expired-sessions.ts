import type { QueryCase, Subject } from './query-case.ts'

/** A DELETE on all shards, all or nothing, with one count. */
export function expiredSessions({ months }: Subject): QueryCase {
  const before = new Date(months.endMs - 20 * 86_400_000)
  return {
    title: 'Sessions that have expired are deleted everywhere',
    ordered: true,
    writes: true,
    run: async ({ fanOut }) => {
      const result = await fanOut.deleteFrom('sessions').where('expires_at', '<', before).executeTakeFirstOrThrow()
      return [{ deleted: String(result.numDeletedRows) }]
    },
  }
}
