import { type FleetShard, isCitus, type KeyType, locate, type TablePlacement } from '@shardwright/core'
import type { TransferSide } from './transfer-options.ts'

/** The shards of one side that hold rows of a table; a Citus cluster is one shard. */
export function shardsOf({ fleet, topology }: TransferSide, table: TablePlacement): readonly FleetShard[] {
  if (isCitus(topology) || table.kind !== 'single') return fleet.shards
  return fleet.shards.filter((shard) => shard.id === table.shard)
}

/** The shards to read a table from: of a reference table one copy is enough. */
export function sourceShardsOf(side: TransferSide, table: TablePlacement): readonly FleetShard[] {
  const shards = shardsOf(side, table)
  return table.kind === 'reference' ? shards.slice(0, 1) : shards
}

/** For rows that have to be told apart: the index in `fleet.shards` for a key's text. Undefined where all go to all shards. */
export function placeRows(
  { topology }: TransferSide,
  table: TablePlacement,
  type: KeyType | undefined,
): ((key: string) => number) | undefined {
  if (table.kind !== 'sharded' || type === undefined || isCitus(topology)) return undefined
  const { family } = table
  return (value) => locate(topology, { family, type, value }).shard
}
