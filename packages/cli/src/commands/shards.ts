import path from 'node:path'
import { createFleet } from '@shardwright/core'
import { addShard, refreshOwnershipChecks, verifyShard } from '@shardwright/migrator'
import { hashTopology } from '../config/engine.ts'
import { readVariable } from '../config/env.ts'
import { CliError } from '../errors/cli-error.ts'
import { exitCode } from '../output/exit-code.ts'
import { renderTable } from '../output/table.ts'
import { wrap } from '../output/wrap.ts'
import type { Command } from '../run/command.ts'
import { publicTopology } from './topology.ts'

export const shardsList: Command = async (context) => {
  const topology = hashTopology((await context.open()).topology, 'shardwright citus nodes list')
  const data = publicTopology(topology).shards
  return {
    data,
    render: (width) =>
      renderTable(
        data,
        [
          { title: 'shard', of: (shard) => shard.id, shrinks: true },
          { title: 'primary', of: (shard) => shard.primary, shrinks: true },
          { title: 'replicas', of: (shard) => shard.replicas.length, align: 'right' },
          { title: 'buckets', of: (shard) => shard.buckets, align: 'right' },
        ],
        width,
      ),
  }
}

export interface ShardsAddOptions {
  readonly id: string
  readonly urlEnv: string
  readonly baseline?: boolean
  readonly source?: string
}

/** Brings an empty database to the fleet's state. The topology is not changed: that is the next step, by hand or rebalancer. */
export const shardsAdd: Command<ShardsAddOptions> = async (context, options) => {
  const opened = await context.open()
  const topology = hashTopology(opened.topology, 'shardwright citus nodes add <host:port>')
  const { Client } = (await import('pg')).default
  const [newShard] = createFleet({
    shards: [{ id: options.id, url: readVariable({ env: options.urlEnv }) }],
    Client,
  }).shards
  if (!newShard || opened.fleet.shards.some((shard) => shard.id === options.id)) {
    throw new CliError({
      code: 'USAGE',
      message: `The topology already has a shard ${options.id}.`,
      hint: 'Choose another id; `shards check` compares one that is there.',
    })
  }
  const report = await addShard({
    fleet: opened.fleet,
    newShard,
    schema: opened.schema,
    topology,
    migrations: path.resolve(opened.folder, opened.config.migrations?.folder ?? 'migrations'),
    method: options.baseline ? 'baseline' : 'migrations',
    sourceShard: options.source,
    onProgress: (step) => context.progress.note(`${options.id}: ${step}`),
  })
  const rows = report.reference.reduce((sum, table) => sum + table.rows, 0)
  return {
    data: report,
    render: (width) =>
      wrap(
        `${options.id} is equal to the fleet: ${report.migrations} migrations, ${report.partitions} partitions made, ${rows} reference rows copied and compared.\nAdd it to \`topology.shards\` with an explicit \`bucketMap\` (the default map would move buckets), then \`shards ownership\` and \`shards check\`.`,
        width,
      ),
  }
}

/** Makes the ownership checks on the servers say what the configuration's topology says. */
export const shardsOwnership: Command = async (context) => {
  const { fleet, schema, topology: any } = await context.open()
  const topology = hashTopology(any, 'Citus places every row itself: there is nothing to check.')
  await context.confirm('Replace the ownership checks by those of this topology?')
  const refreshed = await refreshOwnershipChecks({ fleet, schema, topology })
  return {
    data: refreshed,
    render: () =>
      refreshed.map(({ shard, table }) => `${shard}: ${table}`).join('\n') || 'No table has an ownership check.',
  }
}

/** Compares every shard with the first one, reference data included. */
export const shardsCheck: Command = async (context) => {
  const { fleet, schema, topology } = await context.open()
  hashTopology(topology, 'shardwright citus check')
  const [source, ...others] = fleet.shards
  const checks = await Promise.all(
    others.map(async (shard) => ({ shard: shard.id, ...(await verifyShard({ schema, source: source!, shard })) })),
  )
  const ready = checks.every((check) => check.ready)
  return {
    data: { source: source?.id, checks },
    exitCode: ready ? exitCode.ok : exitCode.found,
    render: (width) =>
      checks
        .map((check) => {
          const problems = [
            ...check.differences.map(
              (difference) => `${difference.kind} ${difference.object} is ${difference.problem}`,
            ),
            ...check.migrations.map((name) => `migration ${name} is not the same`),
            ...check.partitions.map((name) => `partition ${name} is missing`),
            ...check.unguarded.map((name) => `${name} has no ownership check`),
            ...check.reference
              .filter((table) => !table.equal)
              .map(
                (table) =>
                  `reference table ${table.table} differs (${table.rows} rows, ${table.expectedRows} on ${source?.id})`,
              ),
          ]
          return [
            `${check.shard}: ${check.ready ? `equal to ${source?.id}` : `differs from ${source?.id}`}`,
            ...problems.map((problem) => wrap(`  ${problem}`, width, '    ')),
          ].join('\n')
        })
        .join('\n') || 'There is only one shard.',
  }
}
