import {
  type ConvertPlan,
  type ConvertReport,
  convertTable,
  type PartitionPolicy,
  type ProgressEvent,
  planConvert,
} from '@shardwright/partition-manager'
import { CliError } from '../errors/cli-error.ts'
import { exitCode } from '../output/exit-code.ts'
import { wrap } from '../output/wrap.ts'
import type { Command, CommandContext, OpenedConfig } from '../run/command.ts'
import { policiesOf } from './partitions.ts'

export interface ConvertCommandOptions {
  readonly table: string
  readonly shard?: readonly string[]
  readonly dryRun?: boolean
  readonly dropOld?: boolean
}

/** Turns a plain table into a partitioned one, shard after shard, while it is used; a killed run is gone on with. */
export const partitionsConvert: Command<ConvertCommandOptions> = async (context, options) => {
  const opened = await context.open()
  const policy = policyOf(opened, options.table)
  const shards = shardsOf(opened, options.shard)
  if (options.dryRun) return await plan(shards, policy)
  await context.confirm(
    `Convert ${options.table} on ${shards.map((shard) => shard.id).join(', ')}?${options.dropOld ? ' The old tables are dropped.' : ''}`,
  )
  return await convert(context, shards, policy, options.dropOld === true)
}

async function plan(shards: OpenedConfig['fleet']['shards'], policy: PartitionPolicy) {
  const plans: ConvertPlan[] = []
  for (const shard of shards) {
    await using connection = await shard.connect({ applicationName: 'shardwright-partitions' })
    plans.push(await planConvert(connection, policy))
  }
  const refused = plans.some((entry) => entry.refusals.length > 0)
  return {
    data: { plans },
    exitCode: refused ? exitCode.found : exitCode.ok,
    render: (width: number) =>
      plans
        .flatMap((entry) => [
          `-- ${entry.table} on shard ${entry.shard}: about ${entry.estimatedRows} rows into ${entry.partitions} partitions`,
          ...entry.refusals.map((refusal) => wrap(`-- refused: ${refusal}`, width, '--   ')),
          ...entry.notes.map((note) => wrap(`-- ${note}`, width, '--   ')),
          ...entry.sql.map((statement) => (statement.startsWith('--') ? statement : `${statement};`)),
        ])
        .join('\n'),
  }
}

async function convert(
  context: CommandContext,
  shards: OpenedConfig['fleet']['shards'],
  policy: PartitionPolicy,
  dropOld: boolean,
) {
  const reports: ConvertReport[] = []
  for (const shard of shards) {
    if (context.signal.aborted) break
    const onProgress = ({ step, partition, rows }: ProgressEvent) =>
      context.progress.doing(shard.id, [step, partition, rows && `${rows} rows`].filter(Boolean).join(' '))
    const report = await convertTable(shard, policy, { dropOld, signal: context.signal, onProgress })
    reports.push(report)
    context.progress.ended(shard.id, `[${reports.length}/${shards.length}] ${shard.id}: ${report.outcome}`)
  }
  return {
    data: { reports },
    render: () =>
      reports
        .map(
          (report) =>
            `${report.shard} ${report.table}: ${report.outcome}, ${report.verifiedRows} rows verified${report.oldTable ? `, the old table is ${report.oldTable}` : ''}`,
        )
        .join('\n'),
  }
}

function policyOf(opened: OpenedConfig, table: string): PartitionPolicy {
  const policies = policiesOf(opened)
  const found = policies.find((policy) => policy.table === table || `${policy.schema}.${policy.table}` === table)
  if (found) return found
  throw new CliError({
    code: 'UNKNOWN_TABLE',
    message: `There is no partition policy for ${JSON.stringify(table)}.`,
    hint: `Policies are there for ${policies.map((policy) => policy.table).join(', ') || 'no table: add `partitions: [definePartitions<Database>()({ ... })]` to shardwright.config.ts'}.`,
  })
}

function shardsOf({ fleet }: OpenedConfig, ids: readonly string[] | undefined): OpenedConfig['fleet']['shards'] {
  const unknown = ids?.find((id) => !fleet.shards.some((shard) => shard.id === id))
  if (unknown === undefined) return ids ? fleet.shards.filter((shard) => ids.includes(shard.id)) : fleet.shards
  throw new CliError({
    code: 'USAGE',
    message: `There is no shard ${JSON.stringify(unknown)}.`,
    hint: `The shards are ${fleet.shards.map((shard) => shard.id).join(', ')}.`,
  })
}
