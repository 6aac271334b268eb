import type { Fleet, FleetConnection } from '@shardwright/core'
import { recoverTransactions } from './recovery.ts'
import { type RecoveryOptions, resolveRecoveryOptions } from './recovery-options.ts'
import type { RecoveryReport } from './recovery-report.ts'
import { transactionError } from './transaction-error.ts'

/** How often recovery runs, and who hears what it found. */
export interface BackgroundRecoveryOptions extends Omit<RecoveryOptions, 'signal'> {
  /** Between two runs, milliseconds. Default: 30000. */
  readonly intervalMs?: number | undefined
  readonly onReport?: ((report: RecoveryReport) => void) | undefined
}

/** Recovery that runs until `stop`. */
export interface BackgroundRecovery extends AsyncDisposable {
  /** Ends it, and waits for the run under way. Idempotent. */
  stop(): Promise<void>
}

/**
 * Runs `recoverTransactions` now and then; of all processes one at a time, by an advisory lock. Failures are told to
 * telemetry, and the next run tries again. Holds no process open. A fleet that changes is given as a function.
 * @throws TransactionError INVALID_TRANSACTION_OPTIONS
 * @example
 * await using recovery = startRecovery(router.fleet, { intervalMs: 10_000, telemetry })
 */
export function startRecovery(
  fleet: Fleet | (() => Fleet),
  options: BackgroundRecoveryOptions = {},
): BackgroundRecovery {
  const { intervalMs = 30_000, onReport, ...recovery } = options
  const { clock, telemetry } = resolveRecoveryOptions(recovery)
  if (!Number.isInteger(intervalMs) || intervalMs < 1) {
    throw transactionError('INVALID_TRANSACTION_OPTIONS', `intervalMs of recovery is ${intervalMs}; it counts from 1.`)
  }
  const stopped = new AbortController()
  const { signal } = stopped
  const loop = async () => {
    while (!signal.aborted) {
      try {
        const report = await runAlone(typeof fleet === 'function' ? fleet() : fleet, { ...recovery, signal })
        if (report) onReport?.(report)
      } catch (error) {
        if (signal.aborted) return
        telemetry.count('shardwright.transactions.recovery_failures', 1)
        telemetry.log('error', `Recovery of transactions failed: ${error instanceof Error ? error.message : error}`)
      }
      await clock.sleep(intervalMs, { signal, unref: true }).catch(ignore)
    }
  }
  const running = loop()
  const stop = async () => {
    stopped.abort()
    await running
  }
  return Object.freeze({ stop, [Symbol.asyncDispose]: stop })
}

/** Undefined when another process is at it. Two at once would be safe: the lock only saves work. */
async function runAlone(fleet: Fleet, options: RecoveryOptions): Promise<RecoveryReport | undefined> {
  const keeper = await firstReachable(fleet, options.signal)
  if (keeper === undefined) return await recoverTransactions(fleet, options)
  await using connection = keeper
  const { rows } = await connection.query<{ held: boolean }>(
    'select pg_catalog.pg_try_advisory_lock(pg_catalog.hashtextextended($1, 0)) as held',
    [`shardwright recovery ${fleet.topologyId}`],
  )
  return rows[0]?.held === true ? await recoverTransactions(fleet, options) : undefined
}

async function firstReachable(fleet: Fleet, signal: AbortSignal | undefined): Promise<FleetConnection | undefined> {
  for (const shard of fleet.shards) {
    try {
      return await shard.connect({ applicationName: 'shardwright recovery lock', ...(signal ? { signal } : {}) })
    } catch {
      // Any other shard can hold the lock; recovery itself reports the one that does not answer.
      signal?.throwIfAborted()
    }
  }
  return undefined
}

function ignore(): void {}
