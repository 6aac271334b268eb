import type { ActionOutcome } from '../apply/apply-plan.ts'
import type { Failure } from '../errors/failure.ts'
import type { PartitionPlan, PartitionProblem } from '../plan/partition-plan.ts'

/** What one run did to one table on one shard. */
export interface TableReport {
  readonly shard: string
  readonly table: string
  /** `busy`: another run does it. `standby`: nothing can be done there. `planned`: a dry run. */
  readonly outcome: 'done' | 'nothing-to-do' | 'failed' | 'busy' | 'standby' | 'planned'
  readonly actions: readonly ActionOutcome[]
  readonly problems: readonly PartitionProblem[]
  /** Why nothing could be tried at all. */
  readonly failure?: Failure | undefined
  readonly figures?: TableFigures | undefined
  readonly plan?: PartitionPlan | undefined
  readonly durationMs: number
}

export interface TableFigures {
  readonly partitions: number
  /** Whole partitions after the current one. */
  readonly ahead: number
  /** ISO time of the oldest lower bound (of the upper one where the lower is MINVALUE). */
  readonly oldest: string | undefined
  readonly defaultRows: number
  readonly bytes: bigint
}

/** One line per shard and table, and what a shell needs. */
export interface MaintenanceReport {
  readonly tables: readonly TableReport[]
  readonly failed: number
  /** 0 when nothing failed, 1 otherwise. */
  readonly exitCode: 0 | 1
}

export function reportOf(tables: readonly TableReport[]): MaintenanceReport {
  const failed = tables.filter((table) => table.outcome === 'failed').length
  return Object.freeze({ tables: Object.freeze(tables), failed, exitCode: failed > 0 ? 1 : 0 })
}

/**
 * The report for people.
 * @example
 * process.stdout.write(printReport(await maintain(fleet, [transactions])))
 */
export function printReport(report: MaintenanceReport): string {
  return `${report.tables.flatMap(linesOf).join('\n')}\n`
}

function linesOf(table: TableReport): string[] {
  const figures = table.figures
    ? ` (${table.figures.partitions} partitions, ${table.figures.ahead} ahead, ${table.figures.defaultRows} rows in DEFAULT)`
    : ''
  const lines = [`${table.shard} ${table.table}: ${table.outcome}${figures}`]
  if (table.failure)
    lines.push(`  failed: ${table.failure.message} [${table.failure.code}] ${table.failure.hint ?? ''}`)
  for (const { outcome, description, failure } of table.actions) {
    lines.push(
      `  ${outcome}: ${description}${failure ? ` - ${failure.message} [${failure.code}] ${failure.hint ?? ''}` : ''}`,
    )
  }
  for (const problem of table.problems)
    lines.push(`  ${problem.severity}: ${problem.message} [${problem.code}] ${problem.hint}`)
  return lines
}
