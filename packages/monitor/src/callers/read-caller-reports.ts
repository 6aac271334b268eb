import type { Fleet, FleetConnection } from '@shardwright/core'
import { type CollectFailure, collectFailure } from '../collect/collect-shard.ts'
import { type CallerReport, callerReportShape } from './caller-report.ts'

export interface CallerReports {
  /** The youngest of each process, the youngest first. */
  readonly reports: readonly CallerReport[]
  readonly failures: readonly CollectFailure[]
}

/**
 * What the processes have reported within the last hour, or `maxAgeMs`. Never throws for a shard: `failures` says what was not
 * seen.
 * @example
 * const { reports } = await readCallerReports(fleet)
 * for (const { message } of callerAdvice(reports)) console.log(message)
 */
export async function readCallerReports(fleet: Fleet, { maxAgeMs = 3_600_000 } = {}): Promise<CallerReports> {
  const failures: CollectFailure[] = []
  const found = await Promise.all(
    fleet.shards.map(async (shard) => {
      try {
        await using connection = await shard.connect({ applicationName: 'shardwright callers' })
        return await readOn(connection, maxAgeMs)
      } catch (error) {
        failures.push(collectFailure(shard.id, 'callers', error))
        return []
      }
    }),
  )
  // A process whose first shard was down has written elsewhere for a while.
  const youngest = new Map<string, CallerReport>()
  for (const report of found.flat().toSorted((a, b) => a.ageMs - b.ageMs)) {
    if (!youngest.has(report.process)) youngest.set(report.process, Object.freeze(report))
  }
  return Object.freeze({ reports: [...youngest.values()], failures })
}

async function readOn(connection: FleetConnection, maxAgeMs: number): Promise<CallerReport[]> {
  const there = await connection.query<{ there: boolean }>(
    "select to_regclass('shardwright.caller_reports') is not null as there",
  )
  if (there.rows[0]?.there !== true) return []
  const { rows } = await connection.query<{ process: string; ageMs: number; report: unknown }>(
    `select process, (extract(epoch from clock_timestamp() - reported_at) * 1000)::float8 as "ageMs", report
     from shardwright.caller_reports
     where reported_at > clock_timestamp() - make_interval(secs => $1::float8 / 1000)`,
    [maxAgeMs],
  )
  return rows.flatMap(({ process, ageMs, report }) => {
    // Of another version, or by another hand: what it means is not known.
    const parsed = callerReportShape.safeParse(report)
    return parsed.success ? [{ process, ageMs, ...parsed.data }] : []
  })
}
