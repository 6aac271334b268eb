import type { FleetConnection, FleetShard, PgResult } from '@shardwright/core'
import { wrapServerError } from '../errors/failure.ts'
import { PartitionError } from '../errors/partition-error.ts'
import { deadlockDetected, lockNotAvailable, sqlStateOf } from '../errors/sql-state.ts'
import { sessionSettings } from '../inspect/session-settings.ts'
import type { ResolvedRunOptions } from './run-options.ts'

/** A dedicated connection for the maintenance of one table, with its pinned settings and its short locks. */
export class MaintenanceSession implements AsyncDisposable {
  readonly shard: FleetShard
  readonly connection: FleetConnection
  readonly options: ResolvedRunOptions
  readonly #table: string
  readonly #citus: boolean
  #connected = true

  private constructor(
    shard: FleetShard,
    { connection, citus }: PinnedConnection,
    table: string,
    options: ResolvedRunOptions,
  ) {
    this.shard = shard
    this.connection = connection
    this.#table = table
    this.#citus = citus
    this.options = options
  }

  static async open(shard: FleetShard, table: string, options: ResolvedRunOptions): Promise<MaintenanceSession> {
    return new MaintenanceSession(shard, await connectPinned(shard, options), table, options)
  }

  /** Another connection of the same shard, for COPY; the caller releases it. */
  async another(): Promise<FleetConnection> {
    return (await connectPinned(this.shard, this.options)).connection
  }

  async query<R = Record<string, unknown>>(sql: string, parameters?: readonly unknown[]): Promise<PgResult<R>> {
    return await this.connection.query<R>(sql, parameters)
  }

  async script(statements: readonly string[]): Promise<void> {
    const sent = statements.filter((line) => !line.startsWith('--'))
    // Citus sends its nodes the whole text of a message, so there each statement is one.
    if (this.#citus) for (const statement of sent) await this.connection.script(statement)
    else await this.connection.script(sent.join(';\n'))
  }

  /** Tells progress, and stops here when the run was aborted. */
  step(step: string, detail: { readonly partition?: string; readonly rows?: bigint } = {}): void {
    if (this.options.signal.aborted) {
      throw new PartitionError({
        code: 'PARTITION_ABORTED',
        message: `The maintenance of ${this.#table} on shard ${this.shard.id} was aborted before '${step}'.`,
        cause: this.options.signal.reason,
      })
    }
    this.options.onProgress({ shard: this.shard.id, table: this.#table, step, ...detail })
  }

  /**
   * Runs `work`, which may wait for a lock for `lockTimeoutMs` only; when it cannot have it, everything is rolled back
   * and tried again after a pause in which nobody waits behind us. `work` must be safe to run again.
   */
  async withShortLocks<T>(doing: string, work: () => Promise<T>): Promise<T> {
    const { lockAttempts, clock, signal, telemetry } = this.options
    for (let attempt = 1; ; attempt++) {
      try {
        return await work()
      } catch (error) {
        await this.#rollback()
        const state = sqlStateOf(error)
        if (state !== lockNotAvailable && state !== deadlockDetected) throw wrapServerError(error, doing)
        telemetry.count('shardwright.partitions.lock_retries', 1, { shard: this.shard.id, table: this.#table })
        if (attempt >= lockAttempts) throw this.#gaveUp(doing, attempt, this.options.lockTimeoutMs, error)
        await clock.sleep(this.#pause(attempt), { signal })
      }
    }
  }

  /** One transaction with short locks; on Citus they are short on every node. */
  async transaction<T>(doing: string, work: () => Promise<T>): Promise<T> {
    return await this.withShortLocks(doing, async () => {
      await this.query('begin')
      // Citus repeats SET LOCAL on the nodes, and the session's own lock_timeout not: a wait there would have no end.
      if (this.#citus) await this.query(`set local lock_timeout to ${this.options.lockTimeoutMs}`)
      const result = await work()
      const { command } = await this.query('commit')
      // COMMIT of a failed transaction succeeds with the tag ROLLBACK.
      if (command === 'COMMIT') return result
      throw new PartitionError({
        code: 'PARTITION_ACTION_FAILED',
        message: `${doing}: the server rolled the transaction back.`,
      })
    })
  }

  /**
   * With the longer limit on lock waits, for statements behind which nobody queues (CREATE INDEX CONCURRENTLY); not tried
   * again in this run.
   */
  async patiently<T>(doing: string, work: () => Promise<T>): Promise<T> {
    await this.query(`set lock_timeout to ${this.options.buildWaitMs}`)
    try {
      return await work()
    } catch (error) {
      throw sqlStateOf(error) === lockNotAvailable ? this.#gaveUp(doing, 1, this.options.buildWaitMs, error) : error
    } finally {
      await this.query(`set lock_timeout to ${this.options.lockTimeoutMs}`).catch(() => {
        // The connection is gone: the error of `work` says so.
      })
    }
  }

  /** False once {@link isAlive} has found the connection gone. */
  get connected(): boolean {
    return this.#connected
  }

  async isAlive(): Promise<boolean> {
    this.#connected = await this.query('select 1').then(
      () => true,
      () => false,
    )
    return this.#connected
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection.release().catch(() => {
      // A connection that was cut cannot be closed in order; its locks went with it.
    })
  }

  #pause(attempt: number): number {
    const full = Math.min(this.options.backoffMs * 2 ** (attempt - 1), 5000)
    return full / 2 + (full / 2) * Math.random()
  }

  async #rollback(): Promise<void> {
    await this.query('rollback').catch(() => {
      // Only a lost connection refuses ROLLBACK, and then nothing is open any more.
    })
  }

  #gaveUp(doing: string, attempts: number, waitMs: number, cause: unknown): PartitionError {
    return new PartitionError({
      code: 'PARTITION_LOCK_TIMEOUT',
      message: `${doing}: no lock in ${attempts} attempts of ${waitMs} ms on shard ${this.shard.id}.`,
      details: { shard: this.shard.id, table: this.#table },
      cause,
    })
  }
}

interface PinnedConnection {
  readonly connection: FleetConnection
  /** The server has the Citus extension. */
  readonly citus: boolean
}

async function connectPinned(shard: FleetShard, options: ResolvedRunOptions): Promise<PinnedConnection> {
  const connection = await shard.connect({ applicationName: 'shardwright-partitions', signal: options.signal })
  try {
    await connection.script(`${sessionSettings} set lock_timeout to ${options.lockTimeoutMs};`)
    const { rows } = await connection.query<{ citus: boolean }>(
      "select to_regclass('pg_catalog.pg_dist_partition') is not null as citus",
    )
    const citus = rows[0]?.citus === true
    if (citus) {
      await connection.query("set citus.propagate_set_commands to 'local'")
      // One connection a node: two would wait for one another where a foreign key leads to a reference table.
      await connection.query("set citus.multi_shard_modify_mode to 'sequential'")
    }
    return { connection, citus }
  } catch (error) {
    await connection.release().catch(() => {})
    throw wrapServerError(error, `pin the session's settings on shard ${shard.id}`)
  }
}
