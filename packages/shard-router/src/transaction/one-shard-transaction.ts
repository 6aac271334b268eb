import { type Commit, currentReadContext, type Telemetry } from '@shardwright/core'
import { AbortedTransactionError, type TransactionSettings } from 'kysely'
import { RoutingError } from '../errors/routing-error.ts'
import { isRefusal } from '../pool/safe-again.ts'
import type { AnyShardPool, Lease, RunOptions, Statement, StatementResult } from '../pool/shard-pool.ts'
import { CommitHooks } from './commit-hooks.ts'
import { beginSql, type RouterTransaction } from './router-transaction.ts'
import { readsOnwards, tokenAfterCommit, unknownPlace } from './token-after-commit.ts'
import { transactionEnded } from './transaction-error.ts'
import { whileOpen } from './while-open.ts'

/** What a transaction needs of the connections. */
export type TransactionPool = Pick<AnyShardPool, 'lease' | 'commitToken' | 'topology'>

/** A transaction that begins on the shard of its first statement and stays there. */
export class OneShardTransaction implements RouterTransaction {
  readonly scope: CommitHooks
  readonly spansShards = false
  readonly #pool: TransactionPool
  readonly #settings: TransactionSettings
  readonly #telemetry: Telemetry
  readonly #openSavepoints: { readonly name: string; readonly sql: string }[] = []
  #opening: Promise<Lease> | undefined
  #lease: Lease | undefined
  #shard: number | undefined
  /** Statements that were given and are not over: the transaction ends behind them, also when nobody waits for them. */
  readonly #given = new Set<Promise<unknown>>()
  #over = false

  constructor(pool: TransactionPool, settings: TransactionSettings, telemetry: Telemetry) {
    this.#pool = pool
    this.#settings = settings
    this.#telemetry = telemetry
    this.scope = new CommitHooks(telemetry)
  }

  get shards(): readonly number[] {
    return this.#shard === undefined ? [] : [this.#shard]
  }

  async execute(shard: number, statement: Statement, options?: RunOptions): Promise<StatementResult> {
    return await this.#untilOver(this.#execute(shard, statement, options))
  }

  async #untilOver<T>(running: Promise<T>): Promise<T> {
    this.#given.add(running)
    try {
      return await running
    } finally {
      this.#given.delete(running)
    }
  }

  async #execute(shard: number, statement: Statement, options?: RunOptions): Promise<StatementResult> {
    const lease = await this.#leaseOf(shard, options)
    if (statement.access === 'write') this.scope.markWritten()
    return await lease.execute(statement, options)
  }

  async *stream(
    shard: number,
    statement: Statement,
    chunkSize: number,
    options?: RunOptions,
  ): AsyncIterableIterator<StatementResult> {
    const lease = await this.#leaseOf(shard, options)
    if (statement.access === 'write') this.scope.markWritten()
    const chunks = lease.stream(statement, chunkSize, options)
    yield* whileOpen(chunks, (next) => {
      if (this.#over) throw transactionEnded()
      return this.#untilOver(next())
    })
  }

  async savepoint(sql: string, name: string): Promise<void> {
    this.#openSavepoints.push({ name, sql })
    this.scope.savepoint(name)
    if (this.#lease) await this.#command(sql)
  }

  async rollbackToSavepoint(sql: string, name: string): Promise<void> {
    const at = this.#openSavepoints.findLastIndex((open) => open.name === name)
    if (at >= 0) this.#openSavepoints.length = at + 1
    if (this.#lease) await this.#command(sql)
    await this.scope.rollbackTo(name)
  }

  async releaseSavepoint(sql: string, name: string): Promise<void> {
    const at = this.#openSavepoints.findLastIndex((open) => open.name === name)
    if (at >= 0) this.#openSavepoints.length = at
    if (this.#lease) await this.#command(sql)
    this.scope.release(name)
  }

  async commit(): Promise<Commit> {
    await this.#end()
    const lease = this.#lease
    if (!lease) return await this.#ended({ tokens: [] })
    let command: string
    try {
      command = (await this.#command('commit')).command
    } catch (error) {
      this.#lease = undefined
      lease.destroy(error)
      // When the connection was lost, the server may have committed: what makes others look again must run.
      if (isRefusal(error)) await this.scope.rolledBack()
      else {
        // Whoever looks whether it is done must not ask a replica.
        if (this.scope.wrote) currentReadContext()?.add(unknownPlace(this.#pool, lease.shard))
        await this.scope.committed({ tokens: [] })
      }
      throw error
    }
    this.#lease = undefined
    await lease.release()
    // COMMIT of a failed transaction succeeds with the tag ROLLBACK.
    if (command === 'ROLLBACK') {
      await this.scope.rolledBack()
      throw new AbortedTransactionError()
    }
    // A token costs a round trip: read when a context or a hook will look at it.
    const asked = this.scope.wrote
      ? this.scope.awaited || currentReadContext() !== undefined
      : readsOnwards(this.#pool, lease.shard)
    const tokens = asked ? [await tokenAfterCommit(this.#pool, this.#telemetry, lease.shard)] : []
    return await this.#ended({ tokens })
  }

  async #end(): Promise<void> {
    this.#over = true
    if (this.#given.size > 0) await Promise.allSettled(this.#given)
    await this.#opening?.catch(ignore)
  }

  async #ended(commit: Commit): Promise<Commit> {
    await this.scope.committed(commit)
    return commit
  }

  async rollback(): Promise<void> {
    await this.#end()
    const lease = this.#lease
    this.#lease = undefined
    try {
      if (lease) await this.#rollback(lease)
    } finally {
      await this.scope.rolledBack()
    }
  }

  async #rollback(lease: Lease): Promise<void> {
    try {
      await lease.execute(command('rollback'))
      await lease.release()
    } catch (error) {
      // The server rolls back what its client leaves open: that the session is gone is no failure, and would hide the one
      // for which the caller rolls back.
      lease.destroy(error)
    }
  }

  async cancel(): Promise<void> {
    await this.#lease?.cancel()
  }

  async kill(): Promise<void> {
    await this.#lease?.kill()
  }

  async #leaseOf(shard: number, options?: RunOptions): Promise<Lease> {
    if (this.#over) throw transactionEnded()
    this.#shard ??= shard
    if (this.#shard !== shard) {
      throw new RoutingError({
        code: 'CROSS_SHARD_TRANSACTION',
        message: `The transaction is on shard '${this.#name(this.#shard)}', and this statement needs shard '${this.#name(shard)}'.`,
        hint: "Use router.transaction({ crossShard: 'atomic' }), or a transaction for each shard key.",
        details: { shard: this.#name(this.#shard), needed: this.#name(shard) },
      })
    }
    this.#opening ??= this.#open(shard, options)
    return await this.#opening
  }

  async #open(shard: number, options?: RunOptions): Promise<Lease> {
    try {
      const lease = await this.#pool.lease(shard, { ...options, access: 'write' })
      try {
        await lease.execute(command(beginSql(this.#settings)))
        for (const { sql } of this.#openSavepoints) await lease.execute(command(sql))
      } catch (error) {
        lease.destroy(error)
        throw error
      }
      this.#lease = lease
      return lease
    } catch (error) {
      this.#opening = undefined
      throw error
    }
  }

  async #command(sql: string): Promise<StatementResult> {
    return await (this.#lease as Lease).execute(command(sql))
  }

  #name(shard: number): string {
    return this.#pool.topology.shards[shard]?.id ?? String(shard)
  }
}

export function command(sql: string): Statement {
  return { sql, parameters: [], access: 'write', rows: 'facts' }
}

function ignore(): void {}
