/** The PostgreSQL types a shard key may have. `varchar` is `character varying`, with or without a length. */
export type KeyType = 'int2' | 'int4' | 'int8' | 'text' | 'varchar' | 'uuid' | 'date' | 'timestamp' | 'timestamptz'

/** All key types, in the order they are documented. */
export const keyTypes: readonly KeyType[] = Object.freeze([
  'int2',
  'int4',
  'int8',
  'text',
  'varchar',
  'uuid',
  'date',
  'timestamp',
  'timestamptz',
])

/** What a shard key value may be in JavaScript. A Date only for `timestamptz`, where it is exact. */
export type KeyValue = string | number | bigint | Date

/** How buckets are computed. `postgres`: PostgreSQL's own partition hash. `murmur3`: murmur3-32 of the canonical text. */
export type HashName = 'postgres' | 'murmur3'
