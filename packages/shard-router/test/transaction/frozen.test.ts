import { fleetOf } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ProtocolStep } from '../../src/transaction/atomic-options.ts'
import { recoverTransactions } from '../../src/transaction/recovery.ts'
import { add, Bank } from './transaction-fixture.ts'

let cluster: LocalCluster
let bank: Bank

beforeAll(async () => {
  cluster = await startLocalCluster({ shards: 2 })
  bank = new Bank(cluster, 'frozen')
})
afterAll(async () => {
  await bank?.close()
  await cluster?.stop()
})

const serverOf = (id: string) => cluster.shards.find((shard) => shard.id === id)!.server
const recovered = () => recoverTransactions(fleetOf(bank.pool.topology, pg.Client as never), { graceMs: 0 })

/** A transfer whose server at a step freezes there: its connections stay open, and nothing answers. */
async function freezeAt(step: ProtocolStep) {
  await bank.reset()
  let frozen: string | undefined
  const onStep = async (point: { readonly step: ProtocolStep; readonly shard: string }) => {
    if (point.step !== step) return
    frozen = point.shard
    await serverOf(frozen).pause()
  }
  const transaction = bank.begin({}, { settleTimeoutMs: 300, decisionTimeoutMs: 300, onStep })
  await transaction.execute(0, add(-30))
  await transaction.execute(1, add(30))
  const told: string[] = []
  transaction.scope.afterCommit(({ pending }) => void told.push(pending ?? 'committed'))
  transaction.scope.afterRollback(() => void told.push('rolled back'))
  const end = await transaction.commit().then(
    ({ unsettled }) => ({ code: 'committed', unsettled }),
    ({ code }: { code: string }) => ({ code, unsettled: [] }),
  )
  return { end, told, frozen: frozen!, thaw: () => serverOf(frozen!).resume() }
}

test('a participant that freezes before it prepares: all is rolled back, in bounded time', async () => {
  const { end, told, thaw } = await freezeAt('before prepare')
  expect(end.code).toBe('SHARD_UNREACHABLE')
  expect(told).toEqual(['rolled back'])
  await thaw()
  await expect.poll(async () => (await recovered()) && (await bank.prepared())).toEqual([])
  expect(await bank.balances()).toEqual([100, 100])
})

test('a decider that freezes before its decision: in doubt, in bounded time, and told when it is known', async () => {
  const { end, told, thaw } = await freezeAt('before decision')
  expect(end.code).toBe('TRANSACTION_IN_DOUBT')
  expect(told).toEqual(['in doubt'])
  await thaw()
  await expect.poll(() => told, { timeout: 10_000 }).toHaveLength(2)
  const after = told[1] === 'committed' ? [70, 130] : [100, 100]
  expect(await bank.balances()).toEqual(after)
  expect(await bank.prepared()).toEqual([])
})

test('a participant that freezes after the decision: committed, not yet settled, in bounded time', async () => {
  const { end, told, frozen, thaw } = await freezeAt('before commit prepared')
  expect(end).toEqual({ code: 'committed', unsettled: [frozen] })
  await thaw()
  await expect.poll(() => told, { timeout: 10_000 }).toEqual(['unsettled', 'committed'])
  expect(await bank.balances()).toEqual([70, 130])
  expect(await bank.prepared()).toEqual([])
})

test('a prepared transaction too many: a retryable error, and nothing is written', async () => {
  await bank.reset()
  const run = async (sql: string) => (await Promise.all([bank.run(0, sql), bank.run(1, sql)]))[0]!
  const [{ max }] = (await run("select current_setting('max_prepared_transactions')::int as max")) as [{ max: number }]
  for (let n = 0; n < max; n++) await run(`begin; create table t${n} (); prepare transaction 'other ${n}'`)
  const transaction = bank.begin()
  await transaction.execute(0, add(-1))
  await transaction.execute(1, add(1))
  await expect(transaction.commit()).rejects.toMatchObject({ code: 'PREPARED_TRANSACTIONS_EXHAUSTED', retryable: true })
  for (let n = 0; n < max; n++) await run(`rollback prepared 'other ${n}'`)
  expect(await bank.balances()).toEqual([100, 100])
})
