import type { FleetConnection } from '@shardwright/core'
import { onCoordinator } from '../../citus/coordinator.ts'
import { locateKey } from '../../citus/locate-key.ts'
import { requireNode } from '../../citus/nodes.ts'
import type { TransferMode } from '../../citus/rebalance.ts'
import { splitKey } from '../../citus/split-key.ts'
import { CliError } from '../../errors/cli-error.ts'
import { wrap } from '../../output/wrap.ts'
import type { Command } from '../../run/command.ts'
import { shardedTable } from '../which.ts'

export interface IsolateOptions {
  readonly table: string
  readonly key: string
  readonly to?: string
  readonly mode?: TransferMode
}

/** Gives one key a shard of its own in every table of its co-location group, and moves that shard where asked. */
export const isolateTenant: Command<IsolateOptions> = (context, { table: name, key, to, mode = 'auto' }) =>
  onCoordinator(context, async ({ opened, connection }) => {
    const table = shardedTable(opened, name)
    const before = await locateKey(connection, table, key)
    const target = to === undefined ? undefined : await requireNode(connection, to)
    await context.confirm(
      `Split shard ${before.shardId} so that ${table.key} = ${key} has one of its own, in all tables of the group?`,
    )
    await splitKey(connection, { table, key, place: before, to: target, mode })
    const isolated = await locateKey(connection, table, key)
    if (target && target.groupId !== isolated.groupId) await moveShard(connection, isolated.shardId, target, mode)
    const place = await locateKey(connection, table, key)
    const node = `${place.host}:${place.port}`
    return {
      data: { table: table.name, key, shardId: place.shardId, node },
      render: (width) =>
        wrap(`${table.key} = ${key} of ${table.name} is alone in shard ${place.shardId} on ${node}.`, width),
    }
  })

/** Moves one shard, with those co-located, to another node; waits until it is done. */
export const shardMove: Command<{ readonly shard: string; readonly to: string; readonly mode?: TransferMode }> = (
  context,
  { shard, to, mode = 'auto' },
) =>
  onCoordinator(context, async ({ connection }) => {
    const target = await requireNode(connection, to)
    if (!/^\d{1,18}$/.test(shard)) throw unknownShard(shard)
    await context.confirm(`Move shard ${shard} and those co-located with it to ${to}?`)
    await moveShard(connection, shard, target, mode)
    return { data: { shardId: shard, node: to }, render: () => `Shard ${shard} is on ${to}.` }
  })

async function moveShard(
  connection: FleetConnection,
  shard: string,
  to: { readonly host: string; readonly port: number },
  mode: TransferMode,
): Promise<void> {
  const { rows } = await connection.query<{ host: string; port: number }>(
    `select n.nodename as host, n.nodeport as port from pg_dist_placement p
     join pg_dist_node n on n.groupid = p.groupid and n.noderole = 'primary' where p.shardid = $1::bigint`,
    [shard],
  )
  const [from] = rows
  if (!from) throw unknownShard(shard)
  await connection.query(
    'select citus_move_shard_placement($1::bigint, $2, $3, $4, $5, $6::text::citus.shard_transfer_mode)',
    [shard, from.host, from.port, to.host, to.port, mode],
  )
}

function unknownShard(shard: string): CliError {
  return new CliError({
    code: 'USAGE',
    message: `The cluster has no shard ${JSON.stringify(shard)}.`,
    hint: 'A shard is named by its number: `shardwright which <table> <key>` tells that of a key.',
  })
}
