import type { Commit, CommitScope } from '@shardwright/core'
import type { IsolationLevel, TransactionSettings } from 'kysely'
import type { RunOptions, Statement, StatementResult } from '../pool/shard-pool.ts'

/** A statement for one shard. */
export interface ShardStatement {
  readonly shard: number
  readonly statement: Statement
}

/** A transaction as the logical connection sees it: shards join when a statement first needs them. */
export interface RouterTransaction {
  readonly scope: CommitScope
  /** Shards that have begun, in that order. */
  readonly shards: readonly number[]
  /** True when a second shard may join. */
  readonly spansShards: boolean
  execute(shard: number, statement: Statement, options?: RunOptions): Promise<StatementResult>
  /**
   * The same for the last statements of the transaction, each for another shard that has not begun, before anything is
   * known of their answers: only `commit` or `rollback` may follow. Absent where that is no quicker.
   */
  executeLast?(statements: readonly ShardStatement[], options?: RunOptions): Promise<StatementResult[]>
  stream(
    shard: number,
    statement: Statement,
    chunkSize: number,
    options?: RunOptions,
  ): AsyncIterableIterator<StatementResult>
  /** SAVEPOINT, ROLLBACK TO and RELEASE, on every shard that has begun; a shard that joins later gets the open ones. */
  savepoint(sql: string, name: string): Promise<void>
  rollbackToSavepoint(sql: string, name: string): Promise<void>
  releaseSavepoint(sql: string, name: string): Promise<void>
  commit(): Promise<Commit>
  rollback(): Promise<void>
  /**
   * It is for one statement that needs many shards, before any has joined. `hurried`: it waits for locks only for a moment,
   * as its caller does the work again when it gave way.
   */
  forManyShards?(hurried: boolean): void
  /** Cancels what runs now, on every shard. */
  cancel(): Promise<void>
  /** Ends the sessions: the transaction is lost. */
  kill(): Promise<void>
}

/** What a transaction of the router may do; isolation level and access mode are Kysely's. */
export interface TransactionOptions extends TransactionSettings {
  /** `atomic`: more than one shard, committed by two-phase commit. Default: one shard. */
  readonly crossShard?: 'refuse' | 'atomic'
  /** True: statements without a shard key may go to all shards. */
  readonly fanOut?: boolean
  /**
   * True: the function may run more than once, as it does nothing outside the transaction that must not happen twice. It
   * is run again when the transaction was rolled back by the server or its connection was lost before COMMIT was sent.
   */
  readonly idempotent?: boolean
}

/** BEGIN with its modes, as PostgreSQL writes them. */
export function beginSql(settings: { readonly isolationLevel?: IsolationLevel; readonly accessMode?: string }): string {
  const level = settings.isolationLevel ? ` isolation level ${settings.isolationLevel}` : ''
  const mode = settings.accessMode ? ` ${settings.accessMode}` : ''
  return `start transaction${level}${mode}`
}
