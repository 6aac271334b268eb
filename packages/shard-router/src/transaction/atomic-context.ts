import type { PgClient, Telemetry } from '@shardwright/core'
import type { AnyShardPool } from '../pool/shard-pool.ts'
import { Admission } from './admission.ts'
import { Aftermath } from './aftermath.ts'
import { type AtomicOptions, type AtomicSettings, type ProtocolStep, resolveAtomicOptions } from './atomic-options.ts'
import { gidName } from './gid.ts'

/** What all transactions across shards of one router share. */
export interface AtomicContext {
  readonly pool: AnyShardPool
  readonly telemetry: Telemetry
  readonly settings: AtomicSettings
  /** True when the schema has lookups: their triggers note changes for the transaction to keep. */
  readonly keepsLookups: boolean
  /** The topology's id as gids have it. */
  readonly topology: string
  readonly aftermath: Aftermath
  readonly admission: Admission
}

/**
 * @throws TransactionError INVALID_TRANSACTION_OPTIONS
 * @example
 * const context = createAtomicContext(pool, noTelemetry)
 * const transaction = new AtomicTransaction(context, { isolationLevel: 'serializable' })
 */
export function createAtomicContext(
  pool: AnyShardPool,
  telemetry: Telemetry,
  options?: AtomicOptions,
  keepsLookups = false,
  aftermath = new Aftermath(),
): AtomicContext {
  const settings = resolveAtomicOptions(options)
  return Object.freeze({
    pool,
    telemetry,
    settings,
    keepsLookups,
    topology: gidName(pool.topology.id),
    aftermath,
    admission: new Admission(pool.spanningLimit, settings.clock),
  })
}

export function shardIdOf(context: AtomicContext, shard: number): string {
  return context.pool.topology.shards[shard]?.id ?? String(shard)
}

export async function reach(
  context: AtomicContext,
  step: ProtocolStep,
  at: { readonly shard: number; readonly index: number; readonly txid: string },
): Promise<void> {
  await context.settings.onStep?.({ step, shard: shardIdOf(context, at.shard), index: at.index, txid: at.txid })
}

/** Runs `work` on a client of its own, past any pooler; the signal ends the client. */
export async function withDirectClient<T>(
  context: AtomicContext,
  shard: number,
  work: (client: PgClient) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const options = { applicationName: 'shardwright transactions', ...(signal ? { signal } : {}) }
  const client = await context.pool.direct(shard, options)
  const end = () => client.end().catch(ignore)
  signal?.addEventListener('abort', end)
  try {
    return await work(client)
  } finally {
    signal?.removeEventListener('abort', end)
    await end()
  }
}

function ignore(): void {}
