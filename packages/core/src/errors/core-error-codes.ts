/** Every code that @shardwright/core throws: what it means and what to do. docs/errors.md is generated from it. */
export const coreErrorCodes = {
  INVALID_OPTIONS: {
    meaning: 'An option is missing, of the wrong type or out of range.',
    remedy: 'Correct the option that the message names.',
  },

  INVALID_SCHEMA: {
    meaning: 'A schema definition is not of the expected form.',
    remedy: 'Build placements with sharded(), reference() and single().',
  },
  MISSING_PLACEMENT: {
    meaning: 'A table has no placement.',
    remedy: 'Say where the table lives: sharded(key), reference() or single(shard).',
  },
  DUPLICATE_TABLE: {
    meaning: 'Two names of the schema are the same physical table.',
    remedy: 'Keep one of the two names.',
  },
  INVALID_LOOKUP: {
    meaning: 'A lookup names no sharded table, not its shard key, or a name that is taken.',
    remedy: 'Write lookup({ table, column, to }) with a sharded table and its shard key as `to`.',
  },
  UNIQUE_PER_SHARD: {
    meaning:
      'A warning: a unique index of a sharded table leaves the shard key out, so that it holds on each shard only.',
    remedy: 'Cover its column with lookup({ table, column, to, unique: true }), or add the shard key to the index.',
  },
  UNKNOWN_SHARD_IN_SCHEMA: {
    meaning: 'A table is placed on a shard that the topology does not have.',
    remedy: 'Name a shard of the topology in single().',
  },
  KEY_COLUMN_NOT_FOUND: {
    meaning: 'A sharded table, or its key column, does not exist on the server.',
    remedy: 'Migrate the shard, or correct the name in defineSchema.',
  },
  KEY_COLUMN_NULLABLE: {
    meaning: 'A shard key column may hold NULL, which belongs to no shard.',
    remedy: 'ALTER TABLE ... ALTER COLUMN ... SET NOT NULL.',
  },
  KEY_TYPE_UNSUPPORTED: {
    meaning: 'A shard key column has a type whose equal values do not hash alike, or that is not supported.',
    remedy: 'Use int2, int4, int8, text, varchar, uuid, date, timestamp or timestamptz.',
  },
  KEY_COLLATION_NONDETERMINISTIC: {
    meaning: 'A text shard key has a collation under which different texts are equal.',
    remedy: 'Give the key column a deterministic collation, e.g. COLLATE "C".',
  },
  KEY_ENCODING_UNSUPPORTED: {
    meaning: 'A text shard key is in a database that is not UTF-8, where the same text has other bytes.',
    remedy: 'Create the database with ENCODING UTF8.',
  },
  KEY_TYPES_DIFFER: {
    meaning: 'Tables of one key family have keys whose types hash differently, or shards disagree about a type.',
    remedy: 'Give the key columns of a family the same type on every shard.',
  },

  INVALID_TOPOLOGY: {
    meaning: 'A topology is not of the expected form.',
    remedy: 'Correct the field that the message names.',
  },
  NO_SHARD: { meaning: 'A topology has no shard.', remedy: 'Name at least one shard: { id, primary }.' },
  INVALID_BUCKET_COUNT: {
    meaning: 'The number of buckets is not a power of two from 1 to 65536.',
    remedy: 'Use 1024 unless you know why not; it can never be changed later.',
  },
  DUPLICATE_SHARD: { meaning: 'Two shards have the same id.', remedy: 'Give every shard an id of its own.' },
  INVALID_SHARD_URL: {
    meaning: 'A server address is not a usable PostgreSQL URL.',
    remedy: 'Write postgres://user:password@host:port/database.',
  },
  DUPLICATE_SHARD_URL: {
    meaning: 'Two servers of the topology are the same database.',
    remedy: 'Give every shard and every replica a database of its own.',
  },
  UNKNOWN_SHARD: {
    meaning: 'The bucket map or a pin names a shard that the topology does not have.',
    remedy: 'Correct the shard id, or add the shard.',
  },
  BUCKET_WITHOUT_SHARD: {
    meaning: 'The bucket map leaves a bucket without a shard.',
    remedy: 'Cover every bucket from 0 to buckets - 1.',
  },
  DUPLICATE_BUCKET: { meaning: 'The bucket map gives one bucket twice.', remedy: 'Let the ranges not overlap.' },
  BUCKET_OUT_OF_RANGE: {
    meaning: 'The bucket map speaks of a bucket that does not exist.',
    remedy: 'Buckets go from 0 to buckets - 1.',
  },
  CITUS_NOT_INSTALLED: {
    meaning: 'The database that a Citus topology names as its coordinator does not have the extension.',
    remedy: 'CREATE EXTENSION citus in this database on every node, or name another coordinator.',
  },
  NO_HASH_TOPOLOGY: {
    meaning: 'Buckets and shards were asked of a router that runs on Citus, which keeps its own.',
    remedy: "Look at router.engine first; Citus' nodes and shards come from readCitusMetadata.",
  },
  DUPLICATE_PIN: { meaning: 'One key of one family is pinned twice.', remedy: 'Keep one of the two pins.' },
  UNKNOWN_PIN_FAMILY: {
    meaning: 'A pin names a key family that the schema does not have.',
    remedy: 'Name a family of the schema.',
  },
  INCOMPATIBLE_TOPOLOGY: {
    meaning: 'Two topologies with different id, hash or buckets cannot follow one another.',
    remedy: 'Keep id, hash and buckets; only shards, bucket map and pins may change.',
  },

  INVALID_SHARD_KEY: {
    meaning: 'A value cannot be a shard key of its type.',
    remedy: 'Pass the key as PostgreSQL writes it; 64-bit integers as string or bigint.',
  },
  HASH_NOT_IN_SQL: {
    meaning: 'murmur3 has no built-in expression on the server.',
    remedy: "Use hash: 'postgres' where the server has to check or filter by bucket.",
  },

  DIRECT_URL_MISSING: {
    meaning: 'Work that needs a session of its own has only the address of a pooler in transaction mode.',
    remedy: 'Give the server a `directUrl` past the pooler.',
  },
  SHARD_UNREACHABLE: {
    meaning: 'A shard does not answer.',
    remedy: 'Check that the server runs, and its address, user and password.',
  },
  DUPLICATE_FLEET_SHARD: {
    meaning: 'Two shards of a fleet have the same id.',
    remedy: 'Give every shard an id of its own.',
  },

  INVALID_ID: {
    meaning: 'A text or number is not an id of the expected form.',
    remedy: 'Pass an id as it was generated, as string or bigint.',
  },
  WORKER_LEASE_LOST: {
    meaning: 'The lease on a worker number ended, so new ids could be made twice.',
    remedy: 'Acquire a new lease; check that the database was reachable and the process not paused.',
  },
  WORKERS_EXHAUSTED: {
    meaning: 'Every worker number is leased.',
    remedy: 'Stop processes that no longer run, wait for their leases to end, or share one generator per process.',
  },
  TIME_OUT_OF_RANGE: {
    meaning: 'The clock shows a time before or after the 69 years that ids can carry.',
    remedy: "Check the machine's clock and the layout's epochMs.",
  },
  TOO_MANY_IDS: {
    meaning: 'One bucket gets more ids than its sequence holds, for longer than the generator may run ahead.',
    remedy: 'Try again a moment later, or lay out fewer workerBits.',
  },
  CLOCK_WENT_BACK: {
    meaning: 'The clock went back further than the generator tolerates.',
    remedy: 'Check time synchronisation; the generator goes on when the clock has caught up.',
  },

  INVALID_REPOSITORY: {
    meaning: 'A repository definition is not usable.',
    remedy: 'Name the table, its primary key columns and its shard key.',
  },
  ROW_OF_ANOTHER_KEY: {
    meaning: 'An upsert met a row of the same id under another shard key.',
    remedy: 'Delete the row and insert it under the other key.',
  },
  ID_NOT_UPDATABLE: {
    meaning: 'An update would change an id column or the shard key.',
    remedy: 'Delete the row and insert it under its new id.',
  },
  TOO_MANY_VALUES: {
    meaning: 'An insert carries more values than one statement can.',
    remedy: 'Insert in batches, in one transaction if all or none shall be stored.',
  },
  KEY_MISSING: {
    meaning: 'A repository call does not give the shard key or an id column.',
    remedy: 'Pass every id column and the shard key.',
  },
} as const

/** A code of `coreErrorCodes`. */
export type CoreErrorCode = keyof typeof coreErrorCodes
