/** Every code of this package; docs/errors.md is generated from it. */
export const migratorErrorCodes = {
  INVALID_OPTIONS: {
    meaning: 'An option of the migrator is missing or out of range.',
    remedy: 'The message names the option and what it accepts.',
  },
  INVALID_MIGRATION: {
    meaning: 'A migration file has no `up`, a bad name, a bad directive, or its SQL does not parse.',
    remedy: 'Correct the file; nothing has been run.',
  },
  MIGRATION_FOLDER_UNREADABLE: {
    meaning: 'The folder of migrations cannot be read.',
    remedy: 'Check the path in shardwright.config.ts; it is relative to that file.',
  },
  DUPLICATE_MIGRATION: {
    meaning: 'Two migrations have the same name.',
    remedy: 'Rename the one that has not run anywhere.',
  },
  UNKNOWN_MIGRATION: {
    meaning: 'The migration that was asked for is not among the files.',
    remedy: 'List them with `shardwright migrate status`.',
  },
  MIGRATION_MISSING: {
    meaning: 'A shard has applied a migration whose file is gone.',
    remedy: 'Bring the file back from version control, or deploy from a newer checkout.',
  },
  MIGRATION_CHANGED: {
    meaning: 'A file was edited after it had been applied.',
    remedy:
      'Undo the edit and write a new migration; `acceptChanged` records the new checksum when the edit is harmless.',
  },
  MIGRATION_OUT_OF_ORDER: {
    meaning: 'A migration that has not run sorts before one that has.',
    remedy: 'Rename it to sort last, or pass `allowUnordered` when the two do not touch each other.',
  },
  MIGRATION_LOCKED: {
    meaning: 'Another deployer is migrating this shard.',
    remedy: 'Wait for it, or raise `lockWaitMs`.',
  },
  MIGRATION_FAILED: {
    meaning: 'A statement of a migration failed on a shard.',
    remedy: 'The cause carries the SQLSTATE; correct it and run again: only what is left will run.',
  },
  MIGRATION_INTERRUPTED: {
    meaning: 'A migration outside a transaction was stopped half-way and cannot go on by itself.',
    remedy: 'Run the migration in the direction in which it was stopped.',
  },
  MIGRATION_NOT_RESUMABLE: {
    meaning: 'A migration outside a transaction no longer issues the statements that its first attempt completed.',
    remedy: 'Bring the file back to what ran, finish it, then write a new migration.',
  },
  MIGRATION_IRREVERSIBLE: {
    meaning: 'The migration has no `down`.',
    remedy: 'Write a new migration that undoes it.',
  },
  TRANSACTION_CONTROL: {
    meaning: 'A migration inside a transaction issued BEGIN, COMMIT or ROLLBACK.',
    remedy: 'Remove the statement, or declare the migration `transaction: false`.',
  },
  NEEDS_NO_TRANSACTION: {
    meaning: 'A statement that PostgreSQL refuses inside a transaction stands in a transactional migration.',
    remedy: 'Give it a migration of its own with `transaction: false`.',
  },
  MIGRATION_UNSAFE: {
    meaning: 'The linter found statements that block writers or break sharding.',
    remedy: 'Take the safe way that each finding names, or allow the rule in the migration.',
  },
  FLEET_INCOMPLETE: {
    meaning: 'Some shards cannot be reached or are behind, and the run was asked to stop then.',
    remedy: 'Bring them back, or go on without them (`onFailure: continue`).',
  },
  UNKNOWN_SHARD: {
    meaning: 'The run names a shard that the fleet does not have.',
    remedy: 'Use one of the ids in the message.',
  },
  LOOKUP_ON_CITUS: {
    meaning: 'A lookup was to be made on a Citus cluster, whose distributed tables have no triggers for a statement.',
    remedy: 'Leave lookups out of a schema for Citus: the coordinator asks all nodes for a value by itself.',
  },
  PLACEMENT_UNKNOWN: {
    meaning: 'The table has no placement in the schema, or another one than the helper expects.',
    remedy: 'Declare it in defineSchema, or use the helper of its placement.',
  },
  KEY_NOT_IN_PRIMARY_KEY: {
    meaning: 'A sharded table has no primary key, or one without the shard key.',
    remedy: 'Put the shard key in the primary key: no shard can see a duplicate on another one.',
  },
  FOREIGN_KEY_ACROSS_FAMILIES: {
    meaning: 'A foreign key would point at rows that live on another shard.',
    remedy: 'Reference a table of the same family including the shard key, or a reference table.',
  },
  OWNERSHIP_NOT_EXPRESSIBLE: {
    meaning: 'The ownership CHECK cannot be written in SQL for this hash or key type.',
    remedy: "Use hash: 'postgres'; murmur3 has no built-in expression on the server.",
  },
  CONTEXT_INCOMPLETE: {
    meaning: 'A placement helper needs the schema or the topology, and the migrator was made without it.',
    remedy: 'Pass `schema` and `topology` to createMigrator.',
  },
  SNAPSHOT_INVALID: {
    meaning: 'A schema snapshot file cannot be read.',
    remedy: 'Write it again with `shardwright drift --write`.',
  },
  NEW_SHARD_NOT_EMPTY: {
    meaning: 'The server for the new shard already holds user tables.',
    remedy: 'Give an empty database, or check the existing one with `shards check`.',
  },
  NEW_SHARD_DIFFERS: {
    meaning: 'After its build the new shard still differs from the fleet, or its reference data does.',
    remedy: 'The details list every difference; mend them and run again.',
  },
  TRANSFER_SAME_DATABASE: {
    meaning: 'One database is at both ends of a transfer.',
    remedy: 'Give the target databases of its own.',
  },
  TRANSFER_TABLES_DIFFER: {
    meaning:
      'A table of the schema is missing at one end of a transfer, lacks a column, or is not placed as the schema says.',
    remedy: 'Run the same migrations on both ends first.',
  },
  TRANSFER_TARGET_NOT_EMPTY: {
    meaning: 'A table of the target has rows that no transfer from this source has brought.',
    remedy: 'Take an empty target, or let it be emptied with `restart`.',
  },
  TRANSFER_SOURCE_BUSY: {
    meaning: 'A table of the source could not be kept from writers in time.',
    remedy: 'Stop the services that write, then run it again.',
  },
  TRANSFER_MISMATCH: {
    meaning: 'After the copy, a table differs between source and target by count or checksum.',
    remedy: 'Stop the writers and start over with `restart`.',
  },
  TRANSFER_FAILED: {
    meaning: 'A server refused a statement of a transfer; what is copied stays copied.',
    remedy: 'See the cause, mend it, and run it again.',
  },
} as const
