import type { Collector } from './collector.ts'
import { toNumber } from './sample.ts'

/** Modes that get in the way of somebody's writes or reads. */
const modes = [
  'RowExclusiveLock',
  'ShareUpdateExclusiveLock',
  'ShareLock',
  'ShareRowExclusiveLock',
  'ExclusiveLock',
  'AccessExclusiveLock',
]

/** Locks on tables that are held in our database. */
export const locks: Collector = Object.freeze<Collector>({
  name: 'locks',
  async collect(connection) {
    const { rows } = await connection.query<{ mode: string; held: string }>(
      `select mode, count(*) as held from pg_locks
       where locktype = 'relation' and granted and pid <> pg_backend_pid()
         and database = (select oid from pg_database where datname = current_database())
       group by 1`,
    )
    return modes.map((mode) => ({
      metric: 'locks',
      labels: { shard: connection.shardId, mode },
      // The view was read whole: no row does mean none.
      value: toNumber(rows.find((row) => row.mode === mode)?.held) ?? 0,
    }))
  },
})
