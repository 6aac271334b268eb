import type { Clock, FleetConnection, FleetShard } from '@shardwright/core'
import { MonitorError } from '../errors/monitor-error.ts'
import type { Collector } from './collector.ts'
import type { Sample } from './sample.ts'
import type { ShardMemory } from './shard-memory.ts'

/** A measurement that failed, as plain data. */
export interface CollectFailure {
  /** Empty for a source of this process. */
  readonly shard: string
  /** `connect` when there was no connection at all. */
  readonly collector: string
  readonly error: MonitorError
}

export interface ShardRound {
  readonly samples: readonly Sample[]
  readonly failures: readonly CollectFailure[]
}

export interface CollectShardOptions {
  readonly collectors: readonly Collector[]
  readonly memory: ShardMemory
  readonly nowMs: number
  readonly clock: Clock
  readonly budgetMs: number
  readonly signal: AbortSignal | undefined
}

/** Measures one shard. It never throws for the shard's sake: what fails is told beside what did not. */
export async function collectShard(shard: FleetShard, options: CollectShardOptions): Promise<ShardRound> {
  const budget = AbortSignal.timeout(options.budgetMs)
  const signal = options.signal ? AbortSignal.any([budget, options.signal]) : budget
  const labels = { shard: shard.id }
  try {
    await using connection = await shard.connect({ applicationName: 'shardwright monitor', signal })
    await within(signal, connection.query(`set statement_timeout = ${Math.ceil(options.budgetMs)}`))
    const started = options.clock.monotonicMs()
    await within(signal, connection.query('select 1'))
    const roundTripMs = options.clock.monotonicMs() - started
    const { samples, failures } = await collectOn(connection, options, signal)
    // A server that froze under way does not answer, whatever it said before.
    const up = { metric: 'up', labels, value: signal.aborted ? 0 : 1 }
    return { samples: [up, { metric: 'round_trip_ms', labels, value: roundTripMs }, ...samples], failures }
  } catch (error) {
    options.signal?.throwIfAborted()
    return { samples: [{ metric: 'up', labels, value: 0 }], failures: [collectFailure(shard.id, 'connect', error)] }
  }
}

async function collectOn(
  connection: FleetConnection,
  { collectors, memory, nowMs, signal: callers }: CollectShardOptions,
  signal: AbortSignal,
): Promise<ShardRound> {
  const samples: Sample[] = []
  const failures: CollectFailure[] = []
  for (const collector of collectors) {
    try {
      samples.push(...(await within(signal, collector.collect(connection, memory, nowMs))))
    } catch (error) {
      callers?.throwIfAborted()
      failures.push(collectFailure(connection.shardId, collector.name, error))
    }
  }
  return { samples, failures }
}

async function within<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

export function collectFailure(shard: string, collector: string, cause: unknown): CollectFailure {
  const { code } = (cause ?? {}) as { code?: unknown }
  const state = typeof code === 'string' ? ` (${code})` : ''
  const text = cause instanceof Error ? cause.message : String(cause)
  const error = new MonitorError({
    code: 'COLLECTOR_FAILED',
    message: `Measuring ${collector}${shard === '' ? '' : ` on shard '${shard}'`} failed: ${text}${state}`,
    details: { shard, collector },
    cause,
  })
  return Object.freeze({ shard, collector, error })
}
