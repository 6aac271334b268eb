import type { Fleet } from '@shardwright/core'
import { explainPruning, type MaintenanceReport, maintain, printReport } from '@shardwright/partition-manager'
import { sql } from 'kysely'
import type { Platform } from '../platform.ts'
import type { Screen } from '../show/screen.ts'

/** Pruning, partitions ahead, and retention on every shard. Gives what went wrong. */
export async function runPartitions(screen: Screen, platform: Platform): Promise<string[]> {
  screen.heading('Partitions of transactions, by month, on every shard')
  if (platform.router.engine === 'hash') await showPruning(screen, platform)
  const policy = platform.partitions({ retention: true })
  const started = performance.now()
  const report = await maintain(platform.router.fleet, [policy])
  const durationMs = performance.now() - started
  for (const line of printReport(report).trimEnd().split('\n')) screen.line(`  ${line}`)
  const cutoff = await cutoffOf(platform.oneFleet)
  const deleteStarted = performance.now()
  const { numAffectedRows } = await sql`delete from transactions where created_at < ${cutoff}`.execute(platform.one)
  const deleteMs = performance.now() - deleteStarted
  screen.field(
    'time',
    `${platform.servers.title}: rid of ${numAffectedRows} rows in ${durationMs.toFixed(0)} ms, files and all; ` +
      `one PostgreSQL needs ${deleteMs.toFixed(0)} ms for a DELETE, and a VACUUM after it`,
  )
  return failuresOf(report)
}

async function showPruning(screen: Screen, platform: Platform): Promise<void> {
  const [shard] = platform.router.fleet.shards
  if (!shard) return
  await using connection = await shard.connect()
  const policy = platform.partitions({ retention: false })
  const base = platform.one.selectFrom('transactions').select(({ fn }) => fn.sum('amount').as('revenue'))
  const since = new Date(platform.months.endMs - 7 * 86_400_000)
  const pruned = await explainPruning(connection, policy, base.where('created_at', '>=', since).compile())
  const whole = await explainPruning(connection, policy, base.compile())
  screen.field(
    'prune',
    `the last week reads ${pruned.scanned} of ${pruned.total} partitions, without a time ${whole.scanned}`,
  )
}

/** Where retention cuts: what `keep: '12 months'` leaves is whole months, by the server's clock. */
async function cutoffOf(fleet: Fleet): Promise<Date> {
  const [shard] = fleet.shards
  if (!shard) throw new Error('there is no server to ask')
  await using connection = await shard.connect()
  const { rows } = await connection.query<{ cutoff: Date }>(
    "select date_trunc('month', now() - interval '12 months', 'UTC') as cutoff",
  )
  return rows[0]?.cutoff ?? new Date(0)
}

function failuresOf(report: MaintenanceReport): string[] {
  const failed = report.tables.filter((table) => table.outcome === 'failed')
  return failed.map((table) => `partitions of ${table.table} on ${table.shard}: ${table.failure?.message ?? 'failed'}`)
}
