import type { FleetConnection, ShardedTable } from '@shardwright/core'
import { CliError } from '../errors/cli-error.ts'
import { type KeyPlace, quoteTable } from './locate-key.ts'
import type { ClusterNode } from './nodes.ts'
import type { TransferMode } from './rebalance.ts'

/** A key that is to have a shard of its own, and the node that it goes to, where one was named. */
export interface KeySplit {
  readonly table: ShardedTable
  readonly key: string
  readonly place: KeyPlace
  readonly to: ClusterNode | undefined
  readonly mode: TransferMode
}

/**
 * Splits the shard of a key, and those co-located with it. Writes to the shard wait meanwhile, unless `force_logical` is
 * asked for: then all parts go to another node.
 * @throws CliError USAGE for `force_logical` without another node
 */
export async function splitKey(connection: FleetConnection, split: KeySplit): Promise<void> {
  if (split.mode === 'force_logical') await splitOnline(connection, split)
  else await splitInPlace(connection, split)
}

async function splitInPlace(connection: FleetConnection, { table, key, place }: KeySplit): Promise<void> {
  await connection.query(
    `select isolate_tenant_to_new_shard($1::regclass, $2::text::${place.type}, 'CASCADE', shard_transfer_mode => 'block_writes')`,
    [quoteTable(table), key],
  )
}

/**
 * Not `isolate_tenant_to_new_shard`: what stays on its node Citus 13.2 decodes as the new shard was before it had its
 * primary key. The first row that is changed meanwhile is refused there ("publisher did not send replica identity
 * column"), and the split waits for ever. On other nodes the key is there first.
 */
async function splitOnline(connection: FleetConnection, { key, place, to }: KeySplit): Promise<void> {
  if (to === undefined || to.groupId === place.groupId) throw needsAnotherNode(place)
  await connection.query(
    `select citus_split_shard_by_split_points($1::bigint,
       array(select point::text from unnest(array[hash::bigint - 1, hash::bigint]) as point where point >= $3 and point < $4),
       array_fill($5::int, array[1 + (hash > $3)::int + (hash < $4)::int]), 'force_logical')
     from worker_hash($2::text::${place.type}) as hash`,
    [place.shardId, key, place.minHash, place.maxHash, to.nodeId],
  )
}

function needsAnotherNode({ host, port }: KeyPlace): CliError {
  return new CliError({
    code: 'USAGE',
    message: `A split by logical replication goes to another node than ${host}:${port}, which has the shard.`,
    hint: 'Name one by --to, or leave --mode out: writes to the shard then wait while it is split.',
  })
}
