import { type AtomicContext, shardIdOf } from './atomic-context.ts'
import { parseGid } from './gid.ts'
import { sessionNamePrefix } from './session-name.ts'

/** A session that waits for a lock of another. Transactions across shards are named by their txid, others by session. */
export interface Wait {
  readonly waiter: string
  readonly blocker: string
  /** When the waiting statement began: the same in two looks means the same wait. */
  readonly since: string
}

interface WaitRow {
  readonly waiter: string
  readonly waiter_pid: number
  readonly blocker: string
  /** 0: `blocker` is the name of a prepared transaction, which has no session; its decider may wait elsewhere. */
  readonly blocker_pid: number
  readonly since: string
}

const waitsSql = `select waiter.application_name as waiter, waiter.pid as waiter_pid,
  blocker.application_name as blocker, blocker.pid as blocker_pid, waiter.query_start::text as since
 from pg_catalog.pg_stat_activity waiter
 cross join lateral unnest(pg_catalog.pg_blocking_pids(waiter.pid)) as blocking (pid)
 join pg_catalog.pg_stat_activity blocker on blocker.pid = blocking.pid
 where waiter.wait_event_type = 'Lock' and waiter.datname = pg_catalog.current_database()
 union all
 select waiter.application_name, waiter.pid, prepared.gid, 0, waiter.query_start::text
 from pg_catalog.pg_locks wanted
 join pg_catalog.pg_prepared_xacts prepared on prepared.transaction = wanted.transactionid
 join pg_catalog.pg_stat_activity waiter on waiter.pid = wanted.pid
 where not wanted.granted and waiter.datname = pg_catalog.current_database()`

/** Who waits for whom on all shards, as their lock tables say; a shard that does not answer adds nothing. */
export async function readWaits(context: AtomicContext): Promise<Wait[]> {
  const { pool } = context
  const answers = await Promise.allSettled(
    pool.topology.shards.map((_, shard) =>
      pool.execute(shard, { sql: waitsSql, parameters: [], access: 'write', rows: 'facts' }),
    ),
  )
  return answers.flatMap((answer, shard) => {
    if (answer.status === 'rejected') return []
    const id = shardIdOf(context, shard)
    return (answer.value.rows as readonly WaitRow[]).map((row) => ({
      waiter: nodeOf(id, row.waiter, row.waiter_pid),
      blocker: nodeOf(id, row.blocker, row.blocker_pid),
      since: row.since,
    }))
  })
}

function nodeOf(shard: string, applicationName: string, pid: number): string {
  if (pid === 0) return parseGid(applicationName)?.txid ?? `${shard}/${applicationName}`
  return applicationName.startsWith(sessionNamePrefix)
    ? applicationName.slice(sessionNamePrefix.length)
    : `${shard}/${pid}`
}

/** The shortest circle of waits that leads from `start` back to it; undefined when there is none. */
export function circleThrough(start: string, waits: readonly Wait[]): Wait[] | undefined {
  let paths: Wait[][] = waits.filter(({ waiter }) => waiter === start).map((wait) => [wait])
  const seen = new Set<string>()
  while (paths.length > 0) {
    const longer: Wait[][] = []
    for (const path of paths) {
      const at = path.at(-1)!.blocker
      if (at === start) return path
      if (seen.has(at)) continue
      seen.add(at)
      for (const wait of waits) if (wait.waiter === at) longer.push([...path, wait])
    }
    paths = longer
  }
  return undefined
}

/** The waits that are in both, each the same wait. */
export function lastingWaits(before: readonly Wait[], after: readonly Wait[]): Wait[] {
  const keys = new Set(before.map(keyOf))
  return after.filter((wait) => keys.has(keyOf(wait)))
}

function keyOf({ waiter, blocker, since }: Wait): string {
  return `${waiter} ${blocker} ${since}`
}
