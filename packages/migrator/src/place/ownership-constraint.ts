import type { ShardedTable } from '@shardwright/core'
import { PlacementError } from '../errors/placement-error.ts'

/** The CHECK's name on every table; its text differs per shard, so drift leaves it out. */
export const ownershipConstraint = 'shardwright_ownership'

export function unknownKeyType(placement: ShardedTable): PlacementError {
  return new PlacementError({
    code: 'OWNERSHIP_NOT_EXPRESSIBLE',
    message: `The type of ${placement.name}.${placement.key} is not one that an ownership check can hash.`,
    hint: 'Give `keyType`: int2, int4, int8, text, varchar, uuid, date, timestamp or timestamptz.',
    details: { table: placement.name, key: placement.key },
  })
}
