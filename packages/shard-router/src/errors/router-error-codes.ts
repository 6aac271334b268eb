/** The codes of shard-router, with what they mean and what to do; docs/errors.md is generated from this. */
export const routerErrorCodes = Object.freeze({
  SHARD_KEY_REQUIRED: {
    meaning: 'A query names no shard key, so every shard would have to be asked.',
    remedy: 'Add the shard key to WHERE, or ask for it: router.fanOut().',
  },
  CROSS_SHARD_JOIN: {
    meaning: 'A join of sharded tables that is not on their shard key cannot be computed shard by shard.',
    remedy: 'Join on the shard key, make one table a reference table, or run two queries.',
  },
  CROSS_SHARD_SUBQUERY: {
    meaning: 'A correlated subquery reads rows that may be on another shard than the row it is computed for.',
    remedy: 'Correlate on the shard key, or run the subquery first.',
  },
  CROSS_SHARD_TRANSACTION: {
    meaning: 'A transaction that is on one shard was asked to touch another one.',
    remedy: "Use router.transaction({ crossShard: 'atomic' }), or two transactions.",
  },
  CROSS_SHARD_WRITE: {
    meaning: 'A write would touch several shards in a way that cannot be split.',
    remedy: 'Write per shard key, or use fanOut() for an UPDATE or DELETE of all shards.',
  },
  UNKNOWN_TABLE: {
    meaning: 'The query names a table that the schema does not place.',
    remedy: 'Add the table to defineSchema with its placement.',
  },
  UNKNOWN_SHARD: { meaning: 'No shard of the topology has this id.', remedy: 'Use an id of topology.shards.' },
  UNSUPPORTED_NODE: {
    meaning: 'The query has a part that the planner does not know.',
    remedy: 'Rewrite the part, or run the statement on one shard by router.onShard(id).',
  },
  UNSUPPORTED_STATEMENT: {
    meaning: 'This kind of statement cannot be routed.',
    remedy: 'Run schema changes through router.fleet or the migrator, and other statements by router.onShard(id).',
  },
  UNSUPPORTED_MERGE: {
    meaning: 'The clause cannot be computed from partial rows.',
    remedy: 'Rewrite the clause, or add the shard key.',
  },
  RAW_SQL_NOT_UNDERSTOOD: {
    meaning: 'A raw fragment is not one closed expression, or hides tables or subqueries from the planner.',
    remedy: 'Put the fragment into parentheses, write the subquery with Kysely, or use router.onShard(id).',
  },
  RAW_STATEMENT: {
    meaning: 'A whole raw statement has no tree to plan from.',
    remedy: 'Use the query builder, or name the shard: router.onShard(id).',
  },
  SESSION_STATE: {
    meaning:
      'A statement outside a transaction uses the session beyond its own end (SET, set_config, an advisory lock, a temporary table, LISTEN, lastval), and no session is kept.',
    remedy:
      'Use SET LOCAL, set_config(..., true) or pg_advisory_xact_lock in a transaction, or keep a session: router.onShard(id).connection().execute(...).',
  },
  SHARD_KEY_MISSING: {
    meaning: 'A row to insert has no value for the shard key that is known before it runs.',
    remedy: 'Give every row a constant shard key.',
  },
  SHARD_KEY_UPDATE: {
    meaning: 'An UPDATE would change the shard key, which could leave the row on the wrong shard.',
    remedy: 'Delete the row and insert it under its new key, in one atomic transaction.',
  },
  VOLATILE_IN_SPLIT: {
    meaning: 'A value that is computed anew on each shard would differ from what one PostgreSQL gives.',
    remedy: 'Compute the value in the service and pass it as a parameter.',
  },
  CONFINED_TO_KEY: {
    meaning: 'A query under router.for(key) would leave the key.',
    remedy: 'Use router.db for tables outside the family, or another router.for(key).',
  },
  MERGE_ROWS_EXCEEDED: {
    meaning: 'More rows would have to travel to be merged than maxRows allows.',
    remedy: 'Filter or aggregate further, or raise it: router.fanOut({ maxRows }).',
  },
  COLUMNS_DIFFER: {
    meaning:
      'Rows are merged by position, and the columns are not the same on all shards, or not those of the catalog.',
    remedy: 'Name the columns in place of `*`; or migrate every shard, then await router.refresh().',
  },
  MERGE_TYPE_UNSUPPORTED: {
    meaning: 'A column has a type that cannot travel between shards, such as an anonymous record.',
    remedy: 'Select the fields of the record, or cast it to a named type.',
  },
  CATALOG_MISMATCH: {
    meaning: 'The schema of the program and the tables on the shards do not fit.',
    remedy: 'Migrate the shard, or correct defineSchema.',
  },
  KEY_COLUMN_UNSUITABLE: {
    meaning: 'A shard key column is nullable, or of a type or collation whose equality the router cannot reproduce.',
    remedy: 'Make the column NOT NULL and int, text, varchar, uuid, date or timestamp with a deterministic collation.',
  },
  LOOKUP_UNSUITABLE: {
    meaning: 'A lookup is on a column that does not exist, has another type than its entries, or no primary key.',
    remedy: 'Correct the lookup in defineSchema, or make its table anew (createLookupTable).',
  },
  LOOKUP_NEEDS_ATOMIC: {
    meaning: 'A transaction on one shard writes a row whose lookup entries may be on other shards.',
    remedy: "Use router.transaction({ crossShard: 'atomic' }), or run the statement outside the transaction.",
  },
  LOOKUP_CONFLICT: {
    meaning: 'ON CONFLICT met a unique value whose row is on another shard, which it can neither see nor update.',
    remedy: 'Look the value up first, and update or skip the row that has it.',
  },
  LOOKUP_CHANGED: {
    meaning: 'Rows moved to other keys while a statement that found its shard by lookup ran.',
    remedy: 'Try again.',
  },
  SHARDS_MISSING: {
    meaning: 'No shard answered, so there is no result, not even a partial one.',
    remedy: 'Check the servers; see the causes.',
  },
  ROUTER_NOT_READY: { meaning: 'The router has not checked its shards yet.', remedy: 'Await router.ready() first.' },
  ROUTER_CLOSED: { meaning: 'The router is closed.', remedy: 'Create a new router.' },
  CITUS_UNSUPPORTED: {
    meaning: 'Citus does not run this statement; the cause has its own words.',
    remedy: 'Rewrite the statement, add the shard key, or run the parts one after the other.',
  },
  CITUS_COORDINATOR_REQUIRED: {
    meaning: 'A transaction that is on a worker would take a value from a sequence, which only the coordinator does.',
    remedy: 'Run the statement outside the transaction, or first in one; or give the row a value of its own (uuidv7).',
  },
  CITUS_SHARD_MOVED: {
    meaning: 'A shard was moved or split under a transaction, which cannot go on.',
    remedy: 'Run the transaction again.',
  },
  CITUS_SETTINGS_DIFFER: {
    meaning: 'Sessions between the nodes of a Citus cluster have other settings than those of the router.',
    remedy: 'ALTER DATABASE ... SET the setting that the message names, on the coordinator.',
  },
  INVALID_OPTIONS: { meaning: 'An option of the router is not usable.', remedy: 'See the message for the option.' },
} as const satisfies Record<string, { readonly meaning: string; readonly remedy: string }>)

/** One of the codes of `RoutingError` and `MergeError`. */
export type RouterErrorCode = keyof typeof routerErrorCodes
