/** The stable codes of the pool's errors, with what they mean and what to do; docs/errors.md is made from them. */
export const poolErrorCodes = Object.freeze({
  SHARD_UNREACHABLE: {
    meaning: 'No server of the shard accepted a connection, or the connection was lost.',
    remedy:
      'Check that the server runs and that host, port and network rules are right. A write in flight may or may not have been done.',
  },
  CIRCUIT_OPEN: {
    meaning: 'The server failed several times in a row, so that it is left alone for a moment.',
    remedy: 'Wait: it is tried again by itself. Other shards are not affected.',
  },
  SHARD_OVERLOADED: {
    meaning: 'More statements wait for this server than its bulkhead admits.',
    remedy: 'Slow down, or raise `bulkhead`.',
  },
  POOL_TIMEOUT: {
    meaning: 'No connection of the pool became free within the acquire timeout.',
    remedy: 'Shorten transactions, look for leases that are never released, or raise `maximum` or `acquireTimeoutMs`.',
  },
  POOL_CLOSED: { meaning: 'The pool is closed or closing.', remedy: 'Create a new router; this one was closed.' },
  DEADLINE_EXCEEDED: {
    meaning: 'The answer was not there by the deadline. A write in flight may or may not have been done.',
    remedy: 'Raise the deadline, or make the statement faster.',
  },
  AUTHENTICATION_FAILED: {
    meaning: 'The server refused the user or the password.',
    remedy: 'Check the credentials in the topology and pg_hba.conf on the server.',
  },
  DATABASE_NOT_FOUND: {
    meaning: 'The server has no database of that name.',
    remedy: 'Create the database, or correct its name in the topology.',
  },
  CONNECTION_REJECTED: {
    meaning: 'The server answered and refused the connection, for a reason that stays until somebody removes it.',
    remedy: 'The message has the words of the server: correct the option, the role or the database that it names.',
  },
  TLS_FAILED: {
    meaning: 'No TLS came about: the server offers none, its certificate is not trusted, or a file cannot be read.',
    remedy: 'Correct sslmode, sslrootcert, sslcert or sslkey in the URL, or ssl on the server.',
  },
  POOLER_MISMATCH: {
    meaning: 'What stands in front of a server is not what the topology says of it.',
    remedy:
      "Say it for the server: `pooler: 'pgbouncer-session'` or `'pgbouncer-transaction'`, with `directUrl` past it.",
  },
  UNSUPPORTED_SERVER_VERSION: {
    meaning: 'The server is older than PostgreSQL 14.',
    remedy: 'Upgrade the server.',
  },
  SESSION_SETTINGS_DIFFER: {
    meaning: 'A pooler in front of the shard does not keep a session setting that merging relies on.',
    remedy: 'Set it on the database: ALTER DATABASE ... SET ....',
  },
  NOT_BEHIND_POOLER: {
    meaning:
      'A statement leaves something in its session (SET, LISTEN, PREPARE, a temporary table, an advisory lock), and a pooler in transaction mode gives the session to others; or a direct connection is asked for, and there is only the pooler.',
    remedy:
      'Use SET LOCAL, set_config(..., true) or pg_advisory_xact_lock in a transaction; or give the server a `directUrl` past the pooler, and keep a session: router.onShard(id).connection().execute(...).',
  },
  WRONG_SHARD: {
    meaning: 'The database says it is another shard, or a shard of another topology.',
    remedy: 'Correct the URL in the topology.',
  },
  IDENTITY_MISSING: {
    meaning: 'The database does not say which shard it is, and the pool was told to require it.',
    remedy: 'Run `installIdentity` once, or set `identity` to `verify`.',
  },
  IDENTITY_UNREADABLE: {
    meaning: 'The database says which shard it is, and the role of the process may not read it.',
    remedy: 'Grant the role USAGE on the schema `shardwright` and SELECT on `shardwright.identity`.',
  },
  WRONG_REPLICA: {
    meaning: 'A replica follows another primary than the one of its shard.',
    remedy: 'Correct the URL of the replica in the topology.',
  },
  NO_PRIMARY: {
    meaning: 'Every candidate of the shard answers as a standby, or as the primary of before a failover.',
    remedy: 'Promote one, or add the new primary to the hosts of the URL.',
  },
  SHARD_UNSETTLED: {
    meaning:
      'A statement had to see a commit that is decided and not yet finished on its shard; it did not come in time.',
    remedy: 'Try again; recovery finishes it when the shard answers. Raise unsettledWaitMs to wait longer.',
  },
  NO_REPLICA: {
    meaning: 'No replica is healthy and fresh enough, and the read may not go to the primary.',
    remedy: 'Allow the primary, or a larger lag.',
  },
  COPY_NEEDS_CLIENT: {
    meaning: 'COPY from stdin or to stdout was given as a statement: its rows travel beside statements and results.',
    remedy: 'Use the `client` of a connection of `router.fleet` with pg-copy-streams.',
  },
  TOO_MANY_PARAMETERS: {
    meaning: 'A statement has more parameters than the protocol can number, 65,535.',
    remedy: 'Give lists as one array (`= any($1)`, `unnest($1::int[])`), or divide the rows over several statements.',
  },
  LEASE_RELEASED: {
    meaning: 'A lease was used after it was given back.',
    remedy: 'Use the lease only until release() or destroy().',
  },
  STREAM_OPEN: {
    meaning:
      'A session was given a statement while it streams another one outside a transaction, which has to end first.',
    remedy: 'Read the stream to its end, or open it in a transaction: there other statements run between its chunks.',
  },
  INVALID_READ_TOKEN: {
    meaning: 'A read token from a cookie or header is not one that was made by `encodeReadContext`.',
    remedy: 'Drop it and read without a token, or from the primary.',
  },
  INVALID_POOL_OPTIONS: {
    meaning: 'A pool option is not usable.',
    remedy: 'Correct the option that the message names.',
  },
} as const)

/** One of the codes of connections, pools and their options. */
export type PoolErrorCode = keyof typeof poolErrorCodes
