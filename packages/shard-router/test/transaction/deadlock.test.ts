import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { AtomicOptions } from '../../src/transaction/atomic-options.ts'
import { circleThrough, lastingWaits } from '../../src/transaction/wait-graph.ts'
import { write } from '../pool/pool-fixture.ts'
import { add, Bank } from './transaction-fixture.ts'

describe('a deadlock that no single server can see', () => {
  let cluster: LocalCluster
  let bank: Bank

  beforeAll(async () => {
    cluster = await startLocalCluster({ shards: 3, databasePerShard: true })
    bank = new Bank(cluster, 'deadlock', { deadlockAfterMs: 200, lockTimeoutMs: 60_000 })
  })
  afterAll(async () => {
    await bank.close()
    await cluster.stop()
  })
  beforeEach(() => bank.reset())

  test('between three transactions on three shards: the youngest gives way, with a retryable error, the others commit', async () => {
    const transactions = [bank.begin(), bank.begin(), bank.begin()]
    for (const [shard, transaction] of transactions.entries()) await transaction.execute(shard, add(1))
    const ends = await Promise.all(
      transactions.map(async (transaction, shard) => {
        try {
          await transaction.execute((shard + 1) % 3, add(1))
          await transaction.commit()
          return 'committed'
        } catch (error) {
          await transaction.rollback()
          expect(error).toMatchObject({ code: 'DEADLOCK_ACROSS_SHARDS', retryable: true })
          return 'gave way'
        }
      }),
    )
    expect(ends).toEqual(['committed', 'committed', 'gave way'])
    expect((await bank.balances()).reduce((sum, balance) => sum + balance, 0)).toBe(304)
    expect(await bank.prepared()).toEqual([])
  })

  test('through a transaction of somebody else that stays on one shard', async () => {
    const [ours, theirs] = [bank.begin(), bank.begin()]
    await bank.run(1, 'insert into account values (2, 0)')
    const local = await bank.pool.lease(1)
    const say = (sql: string) => local.execute({ sql, parameters: [], access: 'write', rows: 'objects' })
    await ours.execute(0, add(1))
    await theirs.execute(1, add(1))
    await say('begin')
    await say('update account set balance = 7 where id = 2')
    // local waits for theirs on shard 1, theirs for ours on shard 0, and ours for local on shard 1.
    const locals = say('update account set balance = 7 where id = 1')
    const theirWait = theirs.execute(0, add(1)).then(
      () => 'went on',
      (error: { code?: string }) => error.code,
    )
    const ourWait = ours.execute(1, { ...add(1), sql: 'update account set balance = balance + $1 where id = 2' })
    expect(await theirWait).toBe('DEADLOCK_ACROSS_SHARDS')
    await theirs.rollback()
    await locals
    await say('commit')
    local.release()
    await ourWait
    await ours.commit()
    expect(await bank.balances()).toEqual([101, 7, 100])
  })

  /** One waits at its decision for the other's row; the other for a row that the first has prepared. */
  const throughPrepared = async (youngest: 'decides' | 'works', options: AtomicOptions) => {
    await bank.run(0, 'alter table account add constraint once unique (balance) deferrable initially deferred')
    const pair = [bank.begin({}, options), bank.begin({}, options)] as const
    const [deciding, working] = youngest === 'works' ? pair : ([pair[1], pair[0]] as const)
    await working.execute(2, add(1))
    await working.execute(0, write('insert into account values (3, 555)'))
    // Looked at again at the end of its transaction, when it waits for what became of the other's.
    await deciding.execute(0, write('insert into account values (2, 555)'))
    await deciding.execute(1, add(1))
    const codeOf = async (work: Promise<unknown>) => {
      const error = await work.then(
        () => undefined,
        (failure: { code?: string; retryable?: boolean }) => failure,
      )
      if (error?.retryable === false) throw error
      return error?.code ?? 'went on'
    }
    const decision = codeOf(deciding.commit())
    await expect.poll(() => bank.prepared(), { interval: 10, timeout: 10_000 }).toHaveLength(1)
    const work = await codeOf(working.execute(1, add(1)))
    await working.rollback()
    const ends = [await decision, work]
    expect(await bank.prepared()).toEqual([])
    return ends
  }
  const quick = { deadlockAfterMs: 100, lockTimeoutMs: 60_000 }

  test('through a prepared part: the youngest gives way, also when it is the one that commits', async () => {
    expect(await throughPrepared('works', quick)).toEqual(['went on', 'DEADLOCK_ACROSS_SHARDS'])
    expect(await bank.balances()).toEqual([100, 101, 100])
    await bank.reset()
    expect(await throughPrepared('decides', quick)).toEqual(['DEADLOCK_ACROSS_SHARDS', 'went on'])
    expect(await bank.balances()).toEqual([100, 100, 100])
  })

  test('through a prepared part that nobody looks for: ends by the lock timeout, with a retryable error', async () => {
    const blind = { deadlockAfterMs: 60_000, lockTimeoutMs: 1_500 }
    const ends = await throughPrepared('works', blind)
    expect(ends).toContain('LOCK_TIMEOUT_ACROSS_SHARDS')
    expect(ends.filter((end) => end !== 'LOCK_TIMEOUT_ACROSS_SHARDS' && end !== 'went on')).toEqual([])
  })

  test('through parts that are prepared already, which no session holds any more', async () => {
    const insert = (id: number, afterS = 0) => write(`insert into account select ${id}, 5 from pg_sleep(${afterS})`)
    const last = async (...statements: ReturnType<typeof write>[]) => {
      const transaction = bank.begin()
      try {
        // The decider is on the last shard, with a row of its own.
        await transaction.executeLast([2, 0, 1].map((shard, at) => ({ shard, statement: statements[at]! })))
        await transaction.commit()
        return 'committed'
      } catch (error) {
        await transaction.rollback()
        return (error as { code: string }).code
      }
    }
    // Sessions learn of their server by their first commits.
    for (const id of [60, 70]) await Promise.all([id, id + 1].map((own) => last(insert(own), insert(own), insert(own))))
    const ends = Promise.all([last(insert(8), insert(7), insert(7, 0.4)), last(insert(9), insert(7, 0.4), insert(7))])
    await expect.poll(() => bank.prepared()).toHaveLength(2)
    expect(await ends).toEqual(['committed', 'DEADLOCK_ACROSS_SHARDS'])
    expect(await bank.prepared()).toEqual([])
  })

  test('a long wait that is no circle is left alone', async () => {
    const [holder, waiter] = [bank.begin(), bank.begin()]
    await holder.execute(1, add(1))
    await waiter.execute(0, add(1))
    const waiting = waiter.execute(1, add(1))
    await new Promise((resolve) => setTimeout(resolve, 700))
    await holder.commit()
    await waiting
    await waiter.commit()
    expect(await bank.balances()).toEqual([101, 102, 100])
  })
})

describe('circles of waits', () => {
  const wait = (waiter: string, blocker: string, since = '1') => ({ waiter, blocker, since })

  test('are found through the start only', () => {
    const waits = [wait('a', 'b'), wait('b', 'c'), wait('c', 'b'), wait('c', 'd')]
    expect(circleThrough('a', waits)).toBeUndefined()
    expect(circleThrough('b', waits)).toEqual([wait('b', 'c'), wait('c', 'b')])
    expect(circleThrough('d', waits)).toBeUndefined()
  })

  test('are real only when every wait lasts', () => {
    const before = [wait('a', 'b'), wait('b', 'a')]
    expect(lastingWaits(before, [wait('a', 'b'), wait('b', 'a', '2')])).toEqual([wait('a', 'b')])
  })
})
