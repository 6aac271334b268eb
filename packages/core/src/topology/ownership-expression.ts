import { TopologyError } from '../errors/topology-error.ts'
import { bucketExpression } from '../hashing/bucket-expression.ts'
import type { KeyType } from '../hashing/key-type.ts'
import { bucketRanges } from './bucket-map.ts'
import { bucketsOfShard, shardIndexOf } from './buckets-of-shard.ts'
import { pinnedKeys } from './pins.ts'
import type { Topology } from './topology.ts'

export interface OwnedColumn {
  readonly family: string
  readonly type: KeyType
  /** The key column as SQL, quoted by the caller. */
  readonly columnSql: string
}

/**
 * SQL that is true for the keys a shard owns, pins included: for CHECK constraints (beside NOT NULL) and row filters.
 * @throws TopologyError HASH_NOT_IN_SQL under murmur3, UNKNOWN_SHARD
 * @example
 * ownershipExpression(topology, 'eu-1', { family: 'festival_id', type: 'text', columnSql: '"festival_id"' })
 */
export function ownershipExpression(topology: Topology, shard: string, column: OwnedColumn): string {
  if (topology.hash !== 'postgres') {
    throw new TopologyError({
      code: 'HASH_NOT_IN_SQL',
      message: `Ownership cannot be checked on the server: ${topology.hash} has no built-in expression there.`,
      hint: "Use hash: 'postgres' for a topology whose servers check or filter rows by bucket.",
      details: { hash: topology.hash },
    })
  }
  const index = shardIndexOf(topology, shard)
  const pins = [...pinnedKeys(topology, column.family, column.type)]
  const here = pins.filter(([, owner]) => owner === index).map(([key]) => key)
  const elsewhere = pins.filter(([, owner]) => owner !== index).map(([key]) => key)
  const byBucket = bucketCondition(topology, shard, column)
  const kept = elsewhere.length > 0 ? `(${byBucket} and not ${isOneOf(column, elsewhere)})` : byBucket
  return here.length > 0 ? `(${kept} or ${isOneOf(column, here)})` : kept
}

function bucketCondition(topology: Topology, shard: string, column: OwnedColumn): string {
  const bucket = bucketExpression(column.type, column.columnSql, topology.buckets)
  const ranges = bucketRanges(bucketsOfShard(topology, shard))
  if (ranges.length === 0) return 'false'
  return `(${ranges.map(({ from, to }) => `${bucket} between ${from} and ${to}`).join(' or ')})`
}

function isOneOf(column: OwnedColumn, keys: readonly string[]): string {
  return `${column.columnSql} in (${keys.map((key) => literal(key, column.type)).join(', ')})`
}

function literal(key: string, type: KeyType): string {
  // E'' reads backslashes alike whatever standard_conforming_strings says.
  return `E'${key.replaceAll('\\', '\\\\').replaceAll("'", "''")}'::${type}`
}
