import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Lease, ShardPool, StatementResult } from '../../src/pool/shard-pool.ts'
import { AtomicTransaction } from '../../src/transaction/atomic-transaction.ts'
import { failureOf } from '../pool/pool-fixture.ts'
import { add, Bank } from './transaction-fixture.ts'

let cluster: LocalCluster
let bank: Bank

beforeAll(async () => {
  cluster = await startLocalCluster({ shards: 2, databasePerShard: true })
  bank = new Bank(cluster, 'missing-number')
})
afterAll(async () => {
  await bank?.close()
  await cluster?.stop()
})
beforeEach(() => bank.reset())

/** The same object, with some of its methods in place of its own. */
function instead<T extends object>(target: T, methods: Partial<T>): T {
  return new Proxy(target, {
    get(_, name) {
      const value = Reflect.get(name in methods ? methods : target, name, name in methods ? methods : target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** Leaves out the rows of what answers PREPARE TRANSACTION, as a proxy might. */
function withoutNumbers(pool: ShardPool): ShardPool {
  const strip = (result: StatementResult): StatementResult => ({
    ...result,
    ...(result.command === 'PREPARE' ? { rows: [] } : {}),
    ...(result.behind === undefined ? {} : { behind: { ...result.behind, row: undefined } }),
  })
  const strippingLease = (lease: Lease): Lease =>
    instead(lease, { execute: async (...args) => strip(await lease.execute(...args)) })
  return instead(pool, { lease: async (...args) => strippingLease(await pool.lease(...args)) })
}

const begin = () => new AtomicTransaction({ ...bank.context, pool: withoutNumbers(bank.pool) }, {})

const clean = async () => {
  expect(await bank.balances()).toEqual([100, 100])
  expect(await bank.prepared()).toEqual([])
}

test('a part that is prepared at the commit without its number: refused, and all is rolled back', async () => {
  const transaction = begin()
  await transaction.execute(0, add(-30))
  await transaction.execute(1, add(30))
  expect(await failureOf(transaction.commit())).toMatchObject({ code: 'TRANSACTION_NUMBER_MISSING' })
  await clean()
})

test('a part that is prepared behind its last statement without its number: the same', async () => {
  const insert = (shard: number) => ({
    shard,
    statement: { ...add(1), sql: 'insert into account values ($1, 0)', parameters: [2 + shard] },
  })
  // Sessions that are known: else PREPARE waits for the answers.
  const known = bank.begin()
  await known.execute(0, add(0))
  await known.execute(1, add(0))
  await known.commit()
  const transaction = begin()
  transaction.forManyShards(false)
  const failure = await failureOf(transaction.executeLast([insert(0), insert(1)]))
  expect(failure).toMatchObject({ code: 'TRANSACTION_NUMBER_MISSING' })
  await transaction.rollback()
  await clean()
  expect(await bank.run(0, 'select id from account')).toHaveLength(1)
})
