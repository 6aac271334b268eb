import type { ShardwrightError } from '@shardwright/core'
import { JournalSink } from '../connection/journal-sink.ts'
import { OneByOneSink } from '../connection/one-by-one-sink.ts'
import { kyselyOver } from '../connection/sink-dialect.ts'
import type { StatementSink } from '../connection/statement-sink.ts'
import { TransactionSink } from '../connection/transaction-sink.ts'
import { MigrationError } from '../errors/migration-error.ts'
import type { Migration } from '../migration/migration.ts'
import type { MigrationContext } from '../migration/migration-context.ts'
import { onCitus } from '../place/citus-placement.ts'
import { loadSqlParser } from '../sql/parse-sql.ts'
import { sqlStateOf } from '../sql/sql-state.ts'
import type { MigrationRow } from '../state/migration-state.ts'
import type { ResolvedMigratorOptions } from './migrator-options.ts'
import { type ShardSession, settleSession } from './shard-session.ts'

export interface Step {
  readonly migration: Migration
  readonly direction: 'up' | 'down'
  readonly session: ShardSession
}

export type StepResult =
  | { readonly outcome: 'done'; readonly durationMs: number }
  | { readonly outcome: 'failed'; readonly durationMs: number; readonly error: ShardwrightError }

/** Runs one migration on one shard, again after a lock timeout; the error is a value, for other shards go on. */
export async function runStep(
  step: Step,
  options: ResolvedMigratorOptions,
  onRetry: (attempt: number) => void,
): Promise<StepResult> {
  const started = options.clock.monotonicMs()
  await loadSqlParser()
  for (let attempt = 1; ; attempt++) {
    try {
      await (step.migration.transaction ? runInTransaction : runOutsideTransaction)(step, options, started)
      await refresh(step)
      return { outcome: 'done', durationMs: options.clock.monotonicMs() - started }
    } catch (error) {
      if (sqlStateOf(error) === lockNotAvailable && attempt <= options.lockRetries) {
        onRetry(attempt)
        await options.clock.sleep(Math.min(10_000, 200 * 2 ** attempt))
        await refresh(step)
        continue
      }
      const durationMs = options.clock.monotonicMs() - started
      const failure = failureOf(step, error)
      await recordFailure(step, failure, durationMs)
      return { outcome: 'failed', durationMs, error: failure }
    }
  }
}

const lockNotAvailable = '55P03'

async function runInTransaction(step: Step, options: ResolvedMigratorOptions, started: number): Promise<void> {
  const { connection } = step.session
  await settleSession(connection)
  await connection.query('begin')
  try {
    await setTimeouts(step, options, options.statementTimeoutMs)
    if (onCitus(options)) await settleNodes(step, options)
    await call(step, new TransactionSink(connection, step.migration.name), options)
    await connection.query('reset role') // the state is written by whom the run connected as
    await recordDone(step, options.clock.monotonicMs() - started)
    const { command } = await connection.query('commit')
    if (command !== 'COMMIT')
      throw new Error('COMMIT was answered with ROLLBACK: a statement of the migration had failed')
  } catch (error) {
    await rollback(step)
    throw error
  }
}

async function runOutsideTransaction(step: Step, options: ResolvedMigratorOptions, started: number): Promise<void> {
  const { migration, session, direction } = step
  const earlier = journalOf(session.rows.get(migration.name), direction)
  await settleSession(session.connection)
  await setTimeouts(step, options, 0)
  await session.store.write(migration, { state: direction === 'up' ? 'running' : 'reverting', journal: earlier })
  const sink = new JournalSink(session.connection, migration.name, earlier, (journal) =>
    session.store.writeJournal(migration.name, journal),
  )
  try {
    await call(step, sink, options)
  } finally {
    await resetTimeouts(step)
  }
  await recordDone(step, options.clock.monotonicMs() - started)
}

function call({ migration, direction, session }: Step, sink: StatementSink, options: ResolvedMigratorOptions) {
  const context: MigrationContext = {
    shardId: session.shardId,
    direction,
    schema: options.schema,
    topology: options.topology,
    dryRun: false,
  }
  const db = kyselyOver(onCitus(options) ? new OneByOneSink(sink) : sink)
  if (direction === 'up') return migration.up(db, context)
  if (!migration.down) throw new Error(`${migration.name} has no down`)
  return migration.down(db, context)
}

async function setTimeouts(step: Step, options: ResolvedMigratorOptions, statementTimeoutMs: number): Promise<void> {
  const { migration, session } = step
  await session.connection.query(`select set_config('lock_timeout', $1, $3), set_config('statement_timeout', $2, $3)`, [
    String(migration.lockTimeoutMs ?? options.lockTimeoutMs),
    String(migration.statementTimeoutMs ?? statementTimeoutMs),
    migration.transaction,
  ])
}

/**
 * On Citus the limits of a transaction hold on every node: SET LOCAL is repeated there. One connection a node does the DDL,
 * because two would wait for one another where a foreign key leads to a reference table.
 */
async function settleNodes({ migration, session }: Step, options: ResolvedMigratorOptions): Promise<void> {
  const settings = [
    "citus.propagate_set_commands to 'local'",
    "citus.multi_shard_modify_mode to 'sequential'",
    `lock_timeout to ${migration.lockTimeoutMs ?? options.lockTimeoutMs}`,
    `statement_timeout to ${migration.statementTimeoutMs ?? options.statementTimeoutMs}`,
  ]
  for (const setting of settings) await session.connection.query(`set local ${setting}`)
}

/** Errors here are not hidden: a connection that cannot be reset fails at its next statement. */
async function resetTimeouts(step: Step): Promise<void> {
  await step.session.connection
    .query(`select set_config('lock_timeout', '0', false), set_config('statement_timeout', '0', false)`)
    .catch(() => undefined)
}

async function recordDone(step: Step, durationMs: number): Promise<void> {
  const { migration, session, direction } = step
  if (direction === 'down') await session.store.remove(migration.name)
  else await session.store.write(migration, { state: 'applied', durationMs })
}

/** Best effort: when the connection is gone, the report still carries the error and the journal says how far it came. */
async function recordFailure(step: Step, error: ShardwrightError, durationMs: number): Promise<void> {
  const { migration, session, direction } = step
  const message = `${sqlStateOf(error) ?? error.code}: ${(error.cause as Error | undefined)?.message ?? error.message}`
  try {
    await rollback(step)
    await refresh(step)
    const journal = session.rows.get(migration.name)?.journal ?? []
    const failed = migration.transaction ? 'applied' : 'revert-failed'
    await session.store.write(migration, {
      state: direction === 'up' ? 'failed' : failed,
      durationMs,
      error: message,
      journal,
    })
    await refresh(step)
  } catch {
    return
  }
}

async function rollback(step: Step): Promise<void> {
  await step.session.connection.query('rollback').catch(() => undefined)
}

async function refresh({ session }: Step): Promise<void> {
  const rows = await session.store.read()
  session.rows.clear()
  for (const [name, row] of rows) session.rows.set(name, row)
}

function journalOf(row: MigrationRow | undefined, direction: 'up' | 'down'): MigrationRow['journal'] {
  const states = direction === 'up' ? ['running', 'failed'] : ['reverting', 'revert-failed']
  return row && states.includes(row.state) ? row.journal : []
}

function failureOf({ migration, session, direction }: Step, cause: unknown): ShardwrightError {
  if (cause instanceof MigrationError) return cause
  const sqlState = sqlStateOf(cause)
  return new MigrationError({
    code: 'MIGRATION_FAILED',
    message: `${migration.name} (${direction}) failed on ${session.shardId}${sqlState ? ` with ${sqlState}` : ''}: ${
      cause instanceof Error ? cause.message : String(cause)
    }`,
    hint:
      sqlState === lockNotAvailable
        ? 'Something holds the table for longer than lock_timeout: look at pg_stat_activity, then run again.'
        : 'Correct the cause and run again: only the shards that are left will run it.',
    details: { migration: migration.name, shard: session.shardId, direction, sqlState },
    cause,
  })
}
