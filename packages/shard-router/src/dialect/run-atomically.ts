import { currentReadContext } from '@shardwright/core'
import type { RouterState } from '../execute/context.ts'
import type { PreparedPlan } from '../plan/prepared-plan.ts'
import type { RunOptions } from '../pool/shard-pool.ts'
import { type Contention, gaveWay, standInLine } from '../transaction/contention.ts'
import type { RouterTransaction } from '../transaction/router-transaction.ts'

type Work<T> = (transaction: RouterTransaction) => Promise<T>

/** Runs a write over several shards in a transaction of its own, which is begun anew where it got into the way of others. */
export async function runAtomically<T>(
  state: RouterState,
  contention: Contention,
  options: RunOptions,
  plan: PreparedPlan | undefined,
  work: Work<T>,
): Promise<T> {
  const tables = writtenTables(plan)
  if (!contention.isExpected(tables)) {
    try {
      return await committed(state, (transaction) => {
        transaction.forManyShards?.(true)
        return work(transaction)
      })
    } catch (error) {
      if (!gaveWay(error)) throw error
      contention.note(tables)
    }
  }
  return await committed(state, async (transaction) => {
    transaction.forManyShards?.(false)
    await standInLine(transaction, state.pool, tables, options)
    return await work(transaction)
  })
}

async function committed<T>(state: RouterState, work: Work<T>): Promise<T> {
  const transaction = state.engine.transaction(state, { crossShard: 'atomic' }, state.pool)
  let result: T
  try {
    result = await work(transaction)
  } catch (error) {
    await rollbackAfter(error, transaction)
    throw error
  }
  const commit = await transaction.commit()
  for (const token of commit.tokens) currentReadContext()?.add(token)
  return result
}

/** Those that a statement writes, as one name. */
function writtenTables(plan: PreparedPlan | undefined): string {
  const names = (plan?.accesses ?? []).map((access) => {
    if (access.kind === 'system' || !access.writes) return ''
    return access.kind === 'sharded' ? access.table.name : access.name
  })
  return [...new Set(names.filter((name) => name !== ''))].sort().join(' ')
}

async function rollbackAfter(error: unknown, transaction: RouterTransaction): Promise<void> {
  try {
    await transaction.rollback()
  } catch (cause) {
    if (error instanceof Error && error.cause === undefined) error.cause = cause
  }
}
