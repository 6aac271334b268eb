import type { Fleet, FleetShard } from '@shardwright/core'
import { z } from 'zod'
import { type ResolvedRunOptions, type RunOptions, resolveRunOptions } from '../apply/run-options.ts'
import { PartitionError } from '../errors/partition-error.ts'
import type { PartitionPolicy } from '../policy/policy.ts'
import { maintainTable } from './maintain-table.ts'
import { type MaintenanceReport, reportOf, type TableReport } from './report.ts'

export interface MaintainOptions extends RunOptions {
  /** Shards worked on at once, default 4. The tables of one shard come one after the other. */
  readonly concurrency?: number
  /** Plans only; each report carries its plan, for `printPlan`. */
  readonly dryRun?: boolean
  /** Lets a run remove more partitions than `maxDropsPerRun`. */
  readonly force?: boolean
  /** Called as each table of a shard is done. */
  readonly onTable?: (report: TableReport) => void
}

const ownOptions = z.object({
  concurrency: z.int().min(1).default(4),
  dryRun: z.boolean().default(false),
  force: z.boolean().default(false),
})

/**
 * Brings every table to its policy on every shard, once. One shard or table that fails leaves the others to go on; the
 * next run does only what is left.
 * @returns one line per shard and table, with an exit code for a CronJob
 * @throws PartitionError PARTITION_POLICY_INVALID when the options are not valid; nothing else
 * @example
 * const report = await maintain(router.fleet, [transactions])
 * process.exitCode = report.exitCode
 */
export async function maintain(
  fleet: Fleet,
  policies: readonly PartitionPolicy[],
  options: MaintainOptions = {},
): Promise<MaintenanceReport> {
  const own = ownOptions.safeParse(options)
  if (!own.success) {
    throw new PartitionError({ code: 'PARTITION_POLICY_INVALID', message: z.prettifyError(own.error) })
  }
  const { concurrency, dryRun, force } = own.data
  const runOptions = resolveRunOptions(options)
  const ordered = inOneOrder(policies)
  const perShard = new Map<string, readonly TableReport[]>()
  const queue = [...fleet.shards]
  const worker = async () => {
    for (let shard = queue.shift(); shard; shard = queue.shift()) {
      perShard.set(
        shard.id,
        await maintainShard(shard, ordered, { dryRun, force, runOptions, onTable: options.onTable }),
      )
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, fleet.shards.length) }, worker))
  return reportOf(fleet.shards.flatMap((shard) => perShard.get(shard.id) ?? []))
}

interface ShardRun {
  readonly dryRun: boolean
  readonly force: boolean
  readonly runOptions: ResolvedRunOptions
  readonly onTable: ((report: TableReport) => void) | undefined
}

async function maintainShard(
  shard: FleetShard,
  policies: readonly PartitionPolicy[],
  run: ShardRun,
): Promise<readonly TableReport[]> {
  const reports: TableReport[] = []
  for (const policy of policies) {
    const { dryRun, force, runOptions } = run
    const report = await maintainTable({ shard, policy, dryRun, force, options: runOptions })
    reports.push(report)
    run.onTable?.(report)
  }
  return reports
}

/** Every run takes the tables in the same order, so that two runs never wait for each other in a circle. */
function inOneOrder(policies: readonly PartitionPolicy[]): readonly PartitionPolicy[] {
  const name = (policy: PartitionPolicy) => `${policy.schema}.${policy.table}`
  const names = policies.map(name)
  const twice = names.find((candidate, at) => names.indexOf(candidate) !== at)
  if (twice !== undefined) {
    throw new PartitionError({ code: 'PARTITION_POLICY_INVALID', message: `Two policies are given for ${twice}.` })
  }
  return [...policies].sort((a, b) => (name(a) < name(b) ? -1 : 1))
}
