import { type Fleet, fleetOf, noTelemetry, ReadContext, runInReadContext, type Telemetry } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Lease, ShardPool } from '../../src/pool/shard-pool.ts'
import { createAtomicContext } from '../../src/transaction/atomic-context.ts'
import type { ProtocolPoint, ProtocolStep } from '../../src/transaction/atomic-options.ts'
import { AtomicTransaction } from '../../src/transaction/atomic-transaction.ts'
import { formatGid, gidName, parseGid } from '../../src/transaction/gid.ts'
import { recoverTransactions } from '../../src/transaction/recovery.ts'
import { startRecovery } from '../../src/transaction/start-recovery.ts'
import { failureOf } from '../pool/pool-fixture.ts'
import { add, Bank } from './transaction-fixture.ts'

const now = { graceMs: 0 }

/** `target` with some methods replaced. */
function wrap<T extends object>(target: T, replaced: Partial<T>): T {
  return new Proxy(target, {
    get: (_, name) => {
      const value = replaced[name as keyof T] ?? target[name as keyof T]
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

describe('recovery', () => {
  let cluster: LocalCluster
  let bank: Bank
  let fleet: Fleet

  beforeAll(async () => {
    cluster = await startLocalCluster({ shards: 3, databasePerShard: true })
    bank = new Bank(cluster, 'recovery')
    fleet = fleetOf(bank.pool.topology, pg.Client as never)
  })
  afterAll(async () => {
    await bank.close()
    await cluster.stop()
  })
  beforeEach(async () => {
    await recoverTransactions(fleet, now)
    await bank.reset()
  })

  /** A transfer whose process halts at a step until it is told to go on. */
  const haltAt = async (step: ProtocolStep) => {
    const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>()
    const { promise: goOn, resolve: wake } = Promise.withResolvers<void>()
    const onStep = async ({ step: at }: ProtocolPoint) => {
      if (at !== step) return
      arrive()
      await goOn
    }
    const transaction = bank.begin({}, { onStep })
    await transaction.execute(0, add(-30))
    await transaction.execute(1, add(10))
    await transaction.execute(2, add(20))
    const ending = transaction.commit().then(
      (commit) => ({ commit, error: undefined }),
      (error: unknown) => ({ commit: undefined, error: error as { code?: string; retryable?: boolean } }),
    )
    await arrived
    return { transaction, ending, wake }
  }
  const decisionsOf = (transaction: AtomicTransaction) =>
    bank.run(0, `select outcome from shardwright.transaction_decision where txid = '${transaction.txid}'`)

  test('a process that sleeps before its decision is aborted; it wakes up, is refused, and no money is lost', async () => {
    const { transaction, ending, wake } = await haltAt('before decision')
    expect(await bank.prepared()).toHaveLength(2)
    const report = await recoverTransactions(fleet, now)
    expect(report.recovered.map(({ outcome }) => outcome)).toEqual(['abort', 'abort'])
    expect(await bank.prepared()).toEqual([])
    // The sleeper's transaction is open still and could commit: the row has to stay.
    expect(await decisionsOf(transaction)).toEqual([{ outcome: 'abort' }])
    await recoverTransactions(fleet, now)
    expect(await decisionsOf(transaction)).toEqual([{ outcome: 'abort' }])
    wake()
    expect((await ending).error).toMatchObject({ code: 'ABORTED_BY_RECOVERY', retryable: true })
    expect(await bank.balances()).toEqual([100, 100, 100])
    expect(await bank.prepared()).toEqual([])
    expect((await recoverTransactions(fleet, now)).forgotten).toBeGreaterThan(0)
    expect(await decisionsOf(transaction)).toEqual([])
  })

  test('a process that sleeps after its decision is finished by recovery, and hears success when it wakes up', async () => {
    const { transaction, ending, wake } = await haltAt('after decision')
    const report = await recoverTransactions(fleet, now)
    expect(report.recovered.map(({ outcome }) => outcome)).toEqual(['commit', 'commit'])
    expect(await bank.balances()).toEqual([70, 110, 120])
    expect(await decisionsOf(transaction)).toEqual([])
    wake()
    expect((await ending).commit?.unsettled).toEqual([])
    expect(await bank.balances()).toEqual([70, 110, 120])
  })

  test('a process that wakes up between PREPAREs that recovery has undone loses nothing', async () => {
    const { ending, wake } = await haltAt('after prepare')
    await recoverTransactions(fleet, now)
    wake()
    expect((await ending).error?.code).toBe('ABORTED_BY_RECOVERY')
    await recoverTransactions(fleet, now)
    expect(await bank.balances()).toEqual([100, 100, 100])
    expect(await bank.prepared()).toEqual([])
  })

  test('running transactions within the grace are left to their process', async () => {
    const { ending, wake } = await haltAt('before decision')
    expect(await recoverTransactions(fleet)).toMatchObject({ young: 2, recovered: [], left: [] })
    wake()
    expect((await ending).commit).toBeDefined()
    expect(await bank.balances()).toEqual([70, 110, 120])
  })

  test('many recoveries beside many transfers: every transfer wholly there or wholly not', async () => {
    let committed = 0
    let over = false
    const recovering = Array.from({ length: 2 }, async () => {
      while (!over) await recoverTransactions(fleet, now)
    })
    await Promise.all(
      Array.from({ length: 6 }, async () => {
        for (let n = 0; n < 8; n++) {
          const transaction = bank.begin()
          try {
            for (const [shard, amount] of [
              [0, -3],
              [1, 1],
              [2, 2],
            ] as const)
              await transaction.execute(shard, add(amount))
            await transaction.commit()
            committed++
          } catch (error) {
            await transaction.rollback()
            expect(error).toMatchObject({ code: 'ABORTED_BY_RECOVERY' })
          }
        }
      }),
    )
    over = true
    await Promise.all(recovering)
    await recoverTransactions(fleet, now)
    expect(await bank.balances()).toEqual([100 - 3 * committed, 100 + committed, 100 + 2 * committed])
    expect(await bank.prepared()).toEqual([])
  })

  test('a decider that does not answer, another incarnation of it, and an unknown one are left and reported', async () => {
    const { ending, wake } = await haltAt('before decision')
    const gids = await bank.prepared()
    const parts = gids.map((gid) => parseGid(gid)!)
    const [first] = fleet.shards
    const unreachable: Fleet = {
      ...fleet,
      shards: fleet.shards.map((shard) =>
        shard === first ? { ...shard, connect: () => Promise.reject(new Error('no route')) } : shard,
      ),
    }
    const report = await recoverTransactions(unreachable, now)
    expect(report.unreachable.map(({ shard }) => shard)).toEqual(['shard-1'])
    expect(report.left.map(({ reason }) => reason)).toEqual(['decider unreachable', 'decider unreachable'])
    const without = { ...fleet, shards: fleet.shards.slice(1) }
    expect((await recoverTransactions(without, now)).left.map(({ reason }) => reason)).toEqual([
      'unknown decider',
      'unknown decider',
    ])
    expect(await bank.prepared()).toEqual(gids)
    const foreign = formatGid({ ...parts[0]!, txid: '019aa3c1-5b7e-7a12-8c3d-0f1e2d3c4b5a', incarnation: '1:00000001' })
    await bank.run(
      1,
      `begin; update account set balance = balance where id = 2; create table t (); prepare transaction '${foreign}'`,
    )
    const warnings: string[] = []
    const telemetry: Telemetry = { ...noTelemetry, log: (_, message) => void warnings.push(message) }
    const left = (await recoverTransactions(fleet, { ...now, warnAfterMs: 1, telemetry })).left
    expect(left).toMatchObject([{ gid: foreign, reason: 'another incarnation', shard: 'shard-2' }])
    expect(warnings.join()).toContain('another incarnation')
    // A person decides: the row speaks for the lost incarnation.
    await bank.run(
      0,
      `insert into shardwright.transaction_decision values ('019aa3c1-5b7e-7a12-8c3d-0f1e2d3c4b5a', 'abort', '${gidName('recovery')}', '{}')`,
    )
    expect((await recoverTransactions(fleet, now)).recovered).toMatchObject([{ gid: foreign, outcome: 'abort' }])
    wake()
    await ending
    expect(await bank.balances()).toEqual([100, 100, 100])
  })

  test('prepared transactions of other programs and other topologies are not touched', async () => {
    await bank.run(1, "begin; create table other (); prepare transaction 'order-17'")
    await bank.run(
      2,
      "begin; create table other (); prepare transaction 'sw1:elsewhere:019aa3c1-5b7e-7a12-8c3d-0f1e2d3c4b5a:a@1:1:b'",
    )
    expect(await recoverTransactions(fleet, now)).toMatchObject({ recovered: [], left: [], young: 0 })
    expect(await bank.prepared()).toHaveLength(2)
    await bank.run(1, "rollback prepared 'order-17'")
    await bank.run(2, "rollback prepared 'sw1:elsewhere:019aa3c1-5b7e-7a12-8c3d-0f1e2d3c4b5a:a@1:1:b'")
  })

  test('the row of a commit stays while a participant cannot be asked', async () => {
    const { transaction, ending, wake } = await haltAt('before commit prepared')
    const partly = {
      ...fleet,
      shards: fleet.shards.map((shard, n) =>
        n === 2 ? { ...shard, connect: () => Promise.reject(new Error('down')) } : shard,
      ),
    }
    expect((await recoverTransactions(partly, now)).recovered).toHaveLength(1)
    expect(await decisionsOf(transaction)).toEqual([{ outcome: 'commit' }])
    expect((await recoverTransactions(fleet, now)).recovered).toHaveLength(1)
    expect(await decisionsOf(transaction)).toEqual([])
    wake()
    expect((await ending).commit?.unsettled).toEqual([])
    expect(await bank.balances()).toEqual([70, 110, 120])
  })

  describe('the answer to the decision is lost', () => {
    /** The bank's pool, whose connection to the decider breaks just before or just after the decision runs. */
    const breaking = (reached: boolean, meanwhile: () => Promise<unknown>): ShardPool =>
      wrap(bank.pool, {
        lease: async (...call: Parameters<ShardPool['lease']>) => {
          const lease = await bank.pool.lease(...call)
          return wrap(lease, {
            execute: async (...run: Parameters<Lease['execute']>) => {
              if (!run[0].sql.includes('transaction_decision (')) return await lease.execute(...run)
              if (reached) await lease.execute(...run)
              else lease.destroy()
              await meanwhile()
              throw new Error('the connection was lost')
            },
          })
        },
      })
    const transfer = async (pool: ShardPool) => {
      const transaction = new AtomicTransaction(createAtomicContext(pool, noTelemetry), {})
      await transaction.execute(0, add(-30))
      await transaction.execute(1, add(30))
      return transaction
    }

    test('after it ran: the process finds the row, and hears success', async () => {
      const commit = await (await transfer(breaking(true, async () => {}))).commit()
      expect(commit.unsettled).toEqual([])
      expect(await bank.balances()).toEqual([70, 130, 100])
      expect(await bank.prepared()).toEqual([])
    })

    test('after it ran, and recovery has finished all and taken the row away: success all the same', async () => {
      const transaction = await transfer(breaking(true, () => recoverTransactions(fleet, now)))
      expect((await transaction.commit()).unsettled).toEqual([])
      expect(await bank.balances()).toEqual([70, 130, 100])
    })

    test('before it ran: rolled back everywhere, and said so', async () => {
      const transaction = await transfer(breaking(false, async () => {}))
      let rolledBack = 0
      transaction.scope.afterRollback(() => void rolledBack++)
      await expect(transaction.commit()).rejects.toThrow('the connection was lost')
      expect(rolledBack).toBe(1)
      expect(await bank.balances()).toEqual([100, 100, 100])
      expect(await bank.prepared()).toEqual([])
    })

    /** A transfer in doubt, and what its hooks were told. */
    const inDoubt = async (reached: boolean, answers: () => boolean) => {
      const pool = wrap(
        breaking(reached, async () => {}),
        { direct: (shard: number) => (answers() ? bank.pool.direct(shard) : Promise.reject(new Error('no route'))) },
      )
      const context = createAtomicContext(pool, noTelemetry, { decisionTimeoutMs: 300 })
      const transaction = new AtomicTransaction(context, {})
      await transaction.execute(0, add(-30))
      await transaction.execute(1, add(30))
      const told: string[] = []
      transaction.scope.afterCommit(({ pending }) => void told.push(pending ?? 'committed'))
      transaction.scope.afterRollback(() => void told.push('rolled back'))
      const reads = new ReadContext()
      const failure = await failureOf(runInReadContext(reads, () => transaction.commit()))
      expect(failure).toMatchObject({ code: 'TRANSACTION_IN_DOUBT', retryable: false })
      await transaction.rollback()
      expect(told).toEqual(['in doubt'])
      expect(await bank.prepared()).toHaveLength(1)
      return { told, reads, context }
    }

    test('and the decider does not answer: in doubt; hooks run, and once more when it is known', async () => {
      for (const reached of [true, false]) {
        await bank.reset()
        let answers = false
        const { told, reads } = await inDoubt(reached, () => answers)
        // Who looks whether it is there waits until that is known.
        expect(reads.unsettledOn('shard-2')).toHaveLength(1)
        answers = true
        const last = reached ? 'committed' : 'rolled back'
        await expect.poll(() => told, { timeout: 10_000 }).toEqual(['in doubt', last])
        expect(await bank.balances()).toEqual(reached ? [70, 130, 100] : [100, 100, 100])
        expect(await bank.prepared()).toEqual([])
      }
    })

    test('in doubt, and recovery is quicker than its own process: hooks hear the truth', async () => {
      let answers = false
      const { told } = await inDoubt(true, () => answers)
      await recoverTransactions(fleet, now)
      expect(await bank.balances()).toEqual([70, 130, 100])
      answers = true
      await expect.poll(() => told, { timeout: 10_000 }).toEqual(['in doubt', 'committed'])
    })

    test('in doubt when its router is closed: recovery finishes it, and nobody is told any more', async () => {
      const { told, context } = await inDoubt(true, () => false)
      context.aftermath.end()
      await recoverTransactions(fleet, now)
      expect(await bank.balances()).toEqual([70, 130, 100])
      expect(told).toEqual(['in doubt'])
    })
  })

  test('a participant that cannot be reached after the decision: committed, not yet settled', async () => {
    let answers = false
    const pool = wrap(bank.pool, {
      lease: async (...call: Parameters<ShardPool['lease']>) => {
        const lease = await bank.pool.lease(...call)
        return wrap(lease, {
          execute: async (...run: Parameters<Lease['execute']>) => {
            if (run[0].sql.startsWith('commit prepared')) throw new Error('the connection was lost')
            return await lease.execute(...run)
          },
        })
      },
      direct: (shard: number) =>
        answers || shard === 0 ? bank.pool.direct(shard) : Promise.reject(new Error('no route')),
    })
    const transaction = new AtomicTransaction(createAtomicContext(pool, noTelemetry, { settleTimeoutMs: 300 }), {})
    await transaction.execute(0, add(-30))
    await transaction.execute(1, add(30))
    const told: unknown[] = []
    transaction.scope.afterCommit(({ pending }) => void told.push(pending))
    const commit = await transaction.commit()
    expect(commit.unsettled).toEqual(['shard-2'])
    expect(told).toEqual(['unsettled'])
    expect(commit.tokens.find(({ shard }) => shard === 'shard-2')?.lsn).toBe('FFFFFFFF/FFFFFFFF')
    expect(await bank.balances()).toEqual([70, 100, 100])
    await recoverTransactions(fleet, now)
    expect(await bank.balances()).toEqual([70, 130, 100])
    answers = true
    // What a reader took from that shard in between is old now: hooks look again.
    await expect.poll(() => told, { timeout: 10_000 }).toEqual(['unsettled', undefined])
  })

  test('in the background: under a lock, one process at a time, until it is stopped', async () => {
    const { ending, wake } = await haltAt('after decision')
    const reports: number[] = []
    const options = {
      intervalMs: 20,
      graceMs: 0,
      onReport: (report: { recovered: readonly unknown[] }) => void reports.push(report.recovered.length),
    }
    const both = [startRecovery(fleet, options), startRecovery(fleet, options)]
    await expect.poll(() => bank.balances(), { timeout: 20_000 }).toEqual([70, 110, 120])
    await Promise.all(both.map((each) => each.stop()))
    expect(reports.reduce((sum, count) => sum + count, 0)).toBe(2)
    wake()
    await ending
  })

  test('options are checked', async () => {
    expect((await failureOf(recoverTransactions(fleet, { graceMs: -1 }))).code).toBe('INVALID_TRANSACTION_OPTIONS')
    expect(() => startRecovery(fleet, { intervalMs: 0 })).toThrow(/intervalMs/)
  })
})
