import type { Schema, Telemetry } from '@shardwright/core'
import type { TransactionSettings } from 'kysely'
import type { AnyShardPool } from '../pool/shard-pool.ts'
import type { Aftermath } from './aftermath.ts'
import { type AtomicContext, createAtomicContext } from './atomic-context.ts'
import type { AtomicOptions } from './atomic-options.ts'
import { AtomicTransaction } from './atomic-transaction.ts'

/**
 * The maker of transactions across shards, for a router whose pool changes with its topology.
 * @throws TransactionError INVALID_TRANSACTION_OPTIONS
 */
export function atomicTransactions(
  telemetry: Telemetry,
  options: AtomicOptions | undefined,
  aftermath: Aftermath,
): (
  state: { readonly pool: AnyShardPool; readonly schema: Schema },
  settings: TransactionSettings,
) => AtomicTransaction {
  const contexts = new WeakMap<AnyShardPool, AtomicContext>()
  return ({ pool, schema }, settings) => {
    let context = contexts.get(pool)
    if (context === undefined) {
      context = createAtomicContext(pool, telemetry, options, schema.lookups.length > 0, aftermath)
      contexts.set(pool, context)
    }
    return new AtomicTransaction(context, settings)
  }
}
