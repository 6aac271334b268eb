/** Every code that `@shardwright/partition-manager` throws or reports, with its meaning and its remedy. */
export const partitionManagerErrorCodes = {
  PARTITION_POLICY_INVALID: {
    meaning: 'The policy given to definePartitions does not hold together.',
    remedy: 'Read the path in the message and correct that option.',
  },
  PARTITION_TABLE_NOT_FOUND: {
    meaning: 'The table of the policy does not exist on this shard.',
    remedy: 'Run the migration that creates it on this shard, or remove the policy.',
  },
  PARTITION_TABLE_NOT_PARTITIONED: {
    meaning: 'The table of the policy is a plain table.',
    remedy: 'Convert it with convertTable, or create it with PARTITION BY RANGE.',
  },
  PARTITION_KEY_MISMATCH: {
    meaning: 'The table is not partitioned by RANGE of the one column that the policy names, or its type differs.',
    remedy: 'Set `by` and `key` to what the catalog says; the message shows both.',
  },
  PARTITION_BOUND_UNREADABLE: {
    meaning: 'A bound in the catalog, or a time in the policy, cannot be read as a point in time.',
    remedy: 'Give such a partition a finite bound of the key type, or manage that table by hand.',
  },
  PARTITION_PLAN_STALE: {
    meaning: 'The catalog has changed since the plan was made, so the plan was not applied.',
    remedy: 'Inspect and plan again.',
  },
  PARTITION_BUSY: {
    meaning: 'Another maintenance run holds the lock of this table.',
    remedy: 'Nothing to do: the other run does the work. Raise `parentLockWaitMs` to wait longer.',
  },
  PARTITION_LOCK_TIMEOUT: {
    meaning: 'A lock could not be had within lock_timeout in any attempt; nobody was made to wait behind it longer.',
    remedy: 'Find the long transaction in pg_stat_activity; the next run tries again.',
  },
  PARTITION_DEFAULT_ROWS: {
    meaning: 'Rows of a range that should get a partition wait in the DEFAULT partition (23514).',
    remedy: "Set `defaultRows: 'repair'` to move them in batches.",
  },
  PARTITION_DEFAULT_OUTSIDE: {
    meaning: 'The DEFAULT partition holds rows outside the ranges that the policy keeps.',
    remedy: 'Look at them: a wrong clock or an import wrote them. They are never moved or dropped by maintenance.',
  },
  PARTITION_REPAIR_REFERENCED: {
    meaning: 'Foreign keys reference the table, so moving its rows would fire their actions.',
    remedy: 'Drop those foreign keys for the time of the repair.',
  },
  PARTITION_NAME_TAKEN: {
    meaning: 'The name of a partition that is to be created, or moved to its archive, belongs to another relation.',
    remedy: 'Attach that table with attachPartition, or rename it.',
  },
  PARTITION_DROP_CAP: {
    meaning: 'More partitions are due for removal than one run may remove.',
    remedy: 'Check the clock and the retention, then run with `force`, or let the following runs go on.',
  },
  PARTITION_CLOCK_SKEW: {
    meaning: "The server's clock and this process's clock differ too much to remove anything.",
    remedy: 'Correct the clock that is wrong.',
  },
  PARTITION_CREATE_CAP: {
    meaning: 'More partitions are missing than one run creates.',
    remedy: 'Nothing to do: the following runs create the rest. Check `from` and `every` if that is a surprise.',
  },
  PARTITION_RETAINED: {
    meaning: 'A partition is due, but is the last one of its table.',
    remedy: 'Nothing to do: the last partition is never removed.',
  },
  PARTITION_REFERENCED: {
    meaning: 'Rows of another table reference rows of the partition (23503, 2BP01). Nothing is removed by CASCADE.',
    remedy: 'Remove the referencing rows first, or keep the partition.',
  },
  PARTITION_ARCHIVE_MISMATCH: {
    meaning: 'The archive does not hold exactly the rows of the partition, so the partition was left in place.',
    remedy: 'Look at the sink; the next run archives it again.',
  },
  PARTITION_ARCHIVE_FAILED: {
    meaning: 'The archive could not be written; the partition was left in place.',
    remedy: 'See the cause; the next run archives it again.',
  },
  PARTITION_STANDBY: {
    meaning: 'The server is a standby: nothing can be maintained there.',
    remedy: 'Connect to the primary.',
  },
  PARTITION_SERVER_VERSION: {
    meaning: 'The server is older than PostgreSQL 14.',
    remedy: 'Upgrade the server: concurrent detach needs 14.',
  },
  PARTITION_ACTION_FAILED: {
    meaning: 'The server refused a maintenance statement.',
    remedy: 'See the cause and its SQLSTATE; the next run does only what is left.',
  },
  PARTITION_ABORTED: {
    meaning: 'The run was aborted by its signal.',
    remedy: 'Run again: it goes on where it stopped.',
  },
  PARTITION_COLUMNAR_UNAVAILABLE: {
    meaning: 'The policy asks for columnar partitions, and the server has no Citus columnar storage.',
    remedy: 'CREATE EXTENSION citus_columnar where Citus runs; elsewhere take `columnar` out of the policy.',
  },
  PARTITION_COLUMNAR_REFUSED: {
    meaning: 'Columnar tables take no foreign keys and no AFTER ROW triggers, and the partitioned table has some.',
    remedy: 'Drop what the message names, or take `columnar` out of the policy.',
  },
  PARTITION_NOT_PRUNED: {
    meaning: 'A query reads every partition, because no predicate on the partition key can prune.',
    remedy: 'Add a predicate on the partition key.',
  },
  PARTITION_LOCK_TABLE_SMALL: {
    meaning: 'A query over all partitions needs a large part of the lock table (max_locks_per_transaction).',
    remedy: 'Raise max_locks_per_transaction, or take a wider interval or a shorter retention.',
  },
  CONVERT_REFUSED: {
    meaning: 'The table cannot be converted as it is; every reason is listed.',
    remedy: 'Remove the named obstacles and plan again.',
  },
  CONVERT_VERIFY_FAILED: {
    meaning: 'The copy differs from the table, so nothing was swapped.',
    remedy: 'Report it; abandonConvert removes the copy and leaves the table as it was.',
  },
  CONVERT_NOT_FOUND: {
    meaning: 'No conversion of this table is under way.',
    remedy: 'Start one with convertTable.',
  },
} as const

/** A code of {@link partitionManagerErrorCodes}. */
export type PartitionErrorCode = keyof typeof partitionManagerErrorCodes
