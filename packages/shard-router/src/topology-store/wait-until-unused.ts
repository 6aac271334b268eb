import { type Clock, type Fleet, systemClock } from '@shardwright/core'
import { EarlierTransactions } from './earlier-transactions.ts'
import { Lookout, mayPass } from './lookout.ts'
import { topologyStoreError } from './topology-store-error.ts'
import { UnrenewedLeases } from './unrenewed-leases.ts'

export interface WaitOptions {
  /** Default: 60000. */
  readonly timeoutMs?: number | undefined
  readonly pollMs?: number | undefined
  readonly clock?: Clock | undefined
  readonly signal?: AbortSignal | undefined
}

interface Waiting {
  readonly epoch: number
  readonly deadline: number
  readonly pollMs: number
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** Something that goes by and by. */
interface Remainder {
  find(): Promise<readonly unknown[]>
}

/**
 * Waits on every shard, first for the leases of older epochs to be moved on or to expire, then for the transactions that
 * were open at that instant: what a process did under its lease is over only when the server has ended it. A shard that
 * does not answer is asked again until the time is over.
 * @throws TopologyError TOPOLOGY_STILL_IN_USE; the reason of the signal
 */
export async function waitUntilUnused(fleet: Fleet, epoch: number, options: WaitOptions): Promise<void> {
  const { timeoutMs = 60_000, pollMs = 100, clock = systemClock } = options
  options.signal?.throwIfAborted()
  const over = new AbortController()
  const { signal } = over
  const stop = () => over.abort()
  options.signal?.addEventListener('abort', stop, { once: true, signal })
  clock.sleep(timeoutMs, { signal }).then(stop, ignore)
  const waiting: Waiting = { epoch, deadline: clock.monotonicMs() + timeoutMs, pollMs, clock, signal }
  const lookouts = fleet.shards.map((shard) => new Lookout(shard, clock, signal))
  const everywhere = async (what: string, on: (lookout: Lookout) => Remainder) => {
    await Promise.all(lookouts.map((lookout) => untilNone(waiting, lookout.shardId, what, on(lookout))))
  }
  try {
    // All leases first: a process whose lease on one shard is old may still open a transaction on another.
    await everywhere('lease', (lookout) => new UnrenewedLeases(lookout, fleet.topologyId, epoch, clock))
    await everywhere('transaction', EarlierTransactions.open)
    await everywhere('transaction', EarlierTransactions.prepared)
  } catch (error) {
    options.signal?.throwIfAborted()
    throw error
  } finally {
    stop()
    await Promise.all(lookouts.map((lookout) => lookout.close()))
  }
}

async function untilNone(
  { epoch, deadline, pollMs, clock, signal }: Waiting,
  shard: string,
  what: string,
  remainder: Remainder,
): Promise<void> {
  for (let found = await look(remainder); ; ) {
    const { left, failure } = found
    if (failure === undefined && left.length === 0) return
    if (signal.aborted || clock.monotonicMs() >= deadline) {
      const fault = failure === undefined ? `${left.length} ${what}(s) are still there` : 'the shard does not answer'
      const message = `Shard '${shard}', ${what}s from before epoch ${epoch}: ${fault}.`
      throw topologyStoreError('TOPOLOGY_STILL_IN_USE', message, { shard, epoch, [`${what}s`]: left }, failure)
    }
    await clock.sleep(pollMs, { signal }).catch(ignore)
    if (!signal.aborted) found = await look(remainder)
  }
}

async function look(remainder: Remainder): Promise<{ left: readonly unknown[]; failure?: unknown }> {
  try {
    return { left: await remainder.find() }
  } catch (failure) {
    if (!mayPass(failure)) throw failure
    return { left: [], failure }
  }
}

function ignore(): void {}
