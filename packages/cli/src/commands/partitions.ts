import { maintain, type PartitionPolicy, printPlan, printReport } from '@shardwright/partition-manager'
import { exitCode } from '../output/exit-code.ts'
import type { Command, OpenedConfig } from '../run/command.ts'

/** What the policies want, as SQL; changes nothing. */
export const partitionsPlan: Command = async (context) => {
  const opened = await context.open()
  const report = await maintain(opened.fleet, policiesOf(opened), { dryRun: true, signal: context.signal })
  const due = report.tables.some((table) => (table.plan?.actions.length ?? 0) > 0)
  return {
    data: report,
    render: () =>
      report.tables
        .map((table) =>
          table.plan ? printPlan(table.plan).trimEnd() : printReport({ ...report, tables: [table] }).trimEnd(),
        )
        .join('\n\n') || noPolicies,
    exitCode: report.failed > 0 ? exitCode.error : due ? exitCode.found : exitCode.ok,
  }
}

/** Brings every table to its policy on every shard. */
export const partitionsApply: Command<{ readonly force?: boolean }> = async (context, options) => {
  const opened = await context.open()
  const policies = policiesOf(opened)
  if (options.force) await context.confirm('Remove more partitions than the policy allows in one run?')
  const total = opened.fleet.shards.length * policies.length
  let done = 0
  const report = await maintain(opened.fleet, policies, {
    force: options.force === true,
    signal: context.signal,
    onProgress: ({ shard, table, step, partition }) =>
      context.progress.doing(shard, `${table} ${step}${partition === undefined ? '' : ` ${partition}`}`),
    onTable: ({ shard, table, outcome }) =>
      context.progress.ended(shard, `[${++done}/${total}] ${shard} ${table}: ${outcome}`),
  })
  return {
    data: report,
    render: () => (policies.length > 0 ? printReport(report).trimEnd() : noPolicies),
    exitCode: report.exitCode === 0 ? exitCode.ok : exitCode.error,
  }
}

export function policiesOf({ config }: OpenedConfig): readonly PartitionPolicy[] {
  return config.partitions ?? []
}

const noPolicies = 'The configuration has no partition policies.'
