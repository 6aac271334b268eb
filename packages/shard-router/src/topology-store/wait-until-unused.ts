import { type Clock, type Fleet, type FleetConnection, systemClock } from '@shardwright/core'
import { forgetExpired, olderLeases, olderTransactions, preparedTransactions } from './store-tables.ts'
import { topologyStoreError } from './topology-store-error.ts'

export interface WaitOptions {
  /** Default: 60000. */
  readonly timeoutMs?: number | undefined
  readonly pollMs?: number | undefined
  readonly clock?: Clock | undefined
  readonly signal?: AbortSignal | undefined
}

interface Waiting {
  readonly fleet: Fleet
  readonly epoch: number
  readonly deadline: number
  readonly pollMs: number
  readonly clock: Clock
  readonly signal: AbortSignal | undefined
}

/**
 * Waits on every shard, first for the leases of older epochs to be moved on or to expire, then for the transactions that
 * were open at that instant: what a process did under its lease is over only when the server has ended it.
 * @throws TopologyError TOPOLOGY_STILL_IN_USE
 */
export async function waitUntilUnused(fleet: Fleet, epoch: number, options: WaitOptions): Promise<void> {
  const clock = options.clock ?? systemClock
  const deadline = clock.monotonicMs() + (options.timeoutMs ?? 60_000)
  const waiting: Waiting = { fleet, epoch, deadline, pollMs: options.pollMs ?? 100, clock, signal: options.signal }
  const connections = await Promise.all(
    fleet.shards.map((shard) => shard.connect({ applicationName: 'shardwright topology' })),
  )
  try {
    // All leases first: a process whose lease on one shard is old may still open a transaction on another.
    await Promise.all(
      connections.map((connection) => untilNone(waiting, connection, 'lease', () => leasesOn(waiting, connection))),
    )
    await Promise.all(connections.map((connection) => transactionsOver(waiting, connection)))
  } finally {
    await Promise.all(connections.map((connection) => connection.release()))
  }
}

async function leasesOn({ fleet, epoch }: Waiting, connection: FleetConnection): Promise<readonly unknown[]> {
  await connection.query(forgetExpired, [fleet.topologyId])
  return (await connection.query(olderLeases, [fleet.topologyId, epoch])).rows
}

async function transactionsOver(waiting: Waiting, connection: FleetConnection): Promise<void> {
  const { rows } = await connection.query<{ now: string }>('select clock_timestamp()::text as now')
  const { now } = rows[0]!
  await untilNone(waiting, connection, 'transaction', async () => {
    const open = await connection.query(olderTransactions, [now])
    const prepared = await connection.query(preparedTransactions, [now])
    return [...open.rows, ...prepared.rows]
  })
}

async function untilNone(
  { epoch, deadline, pollMs, clock, signal }: Waiting,
  connection: FleetConnection,
  what: string,
  find: () => Promise<readonly unknown[]>,
): Promise<void> {
  for (;;) {
    const left = await find()
    if (left.length === 0) return
    if (clock.monotonicMs() >= deadline) {
      const message = `Shard '${connection.shardId}': ${left.length} ${what}(s) from before epoch ${epoch} are still there.`
      throw topologyStoreError('TOPOLOGY_STILL_IN_USE', message, {
        shard: connection.shardId,
        epoch,
        [`${what}s`]: left,
      })
    }
    await clock.sleep(pollMs, signal === undefined ? {} : { signal })
  }
}
