import { assertBucketCount } from './bucket-count.ts'
import { unsupportedType } from './invalid-key.ts'
import type { KeyType } from './key-type.ts'
import { combineConstant } from './partition-hash.ts'

const seed = '8816678312871386365'

/**
 * SQL that computes the bucket of a key column (`hash: 'postgres'`), from built-in immutable functions only, so that
 * CHECK constraints, indexes and publication row filters accept it. Works on PostgreSQL 15 and later.
 * `columnSql` is SQL: quote the column's name yourself. Murmur3 has no such expression.
 * @throws TopologyError INVALID_BUCKET_COUNT; KeyError KEY_TYPE_UNSUPPORTED
 * @example
 * bucketExpression('int8', '"festival_id"', 1024)
 * // (((hashint8extended("festival_id", 8816678312871386365) & 1023) + 227) & 1023)
 */
export function bucketExpression(type: KeyType, columnSql: string, buckets: number): string {
  assertBucketCount(buckets)
  const mask = buckets - 1
  const addend = combineConstant & BigInt(mask)
  return `(((${extendedHash(type, columnSql)} & ${mask}) + ${addend}) & ${mask})`
}

function extendedHash(type: KeyType, column: string): string {
  switch (type) {
    case 'int2':
    case 'int4':
    case 'int8':
      return `hash${type}extended(${column}, ${seed})`
    case 'text':
    case 'varchar':
      return `hashtextextended((${column})::text, ${seed})`
    case 'uuid':
      return `uuid_hash_extended(${column}, ${seed})`
    case 'date':
      // PostgreSQL 15 has no hashdateextended; an infinite date cannot be subtracted from.
      return (
        `hashint4extended(case when isfinite(${column}) then ${column} - date '2000-01-01' ` +
        `when ${column} > date '2000-01-01' then 2147483647 else -2147483648 end, ${seed})`
      )
    case 'timestamp':
      return `timestamp_hash_extended(${column}, ${seed})`
    case 'timestamptz':
      // PostgreSQL 15 has no timestamptz_hash_extended.
      return `timestamp_hash_extended(${column} at time zone 'UTC', ${seed})`
    default:
      throw unsupportedType(type)
  }
}
