import { fleetOf, noTelemetry, ReadContext, runInReadContext } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createShardPool } from '../../src/pool/create-shard-pool.ts'
import { decodeReadContext, encodeReadContext } from '../../src/pool/read-token.ts'
import type { AtomicCommit } from '../../src/transaction/atomic-commit.ts'
import { OneShardTransaction } from '../../src/transaction/one-shard-transaction.ts'
import { recoverTransactions } from '../../src/transaction/recovery.ts'
import { read, topologyOf } from '../pool/pool-fixture.ts'
import { add, Bank } from './transaction-fixture.ts'

let cluster: LocalCluster
let bank: Bank
let commit: AtomicCommit

beforeAll(async () => {
  cluster = await startLocalCluster({ shards: 2 })
  bank = new Bank(cluster, 'unsettled')
  await bank.reset()
})
afterAll(async () => {
  await bank?.close()
  await cluster?.stop()
})

const balance = (pool = bank.pool) =>
  pool.execute(1, read('select balance from account')).then(({ rows }) => (rows[0] as { balance: number }).balance)

test('a server that goes away between the decision and COMMIT PREPARED: committed, not yet settled', async () => {
  const context = new ReadContext()
  const transaction = bank.begin(
    {},
    { settleTimeoutMs: 300, onStep: ({ step }) => (step === 'after decision' ? stop() : undefined) },
  )
  const stop = () => cluster.shards[1]!.stop({ mode: 'immediate' })
  await runInReadContext(context, async () => {
    await transaction.execute(0, add(-30))
    await transaction.execute(1, add(30))
    commit = await transaction.commit()
  })
  expect(commit.unsettled).toEqual(['shard-2'])
  // As when its process has ended: recovery is what finishes it.
  bank.aftermath.end()
  await cluster.shards[1]!.start()
  // Without the token: the part is prepared, and no server shows it.
  await expect.poll(() => balance().catch(() => undefined), { timeout: 10_000 }).toBe(100)
})

test('reads under its token wait until it is settled, also from a cookie in another process', async () => {
  const context = new ReadContext(commit.tokens)
  const reading = [context, decodeReadContext(encodeReadContext(context))].map((own) =>
    runInReadContext(own, async () => ({ seen: await balance(), left: own.unsettledOn('shard-2').length })),
  )
  let over = false
  void Promise.allSettled(reading).then(() => {
    over = true
  })
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(over).toBe(false)
  // Other shards do not wait.
  const first = await runInReadContext(context, () => bank.pool.execute(0, read('select balance from account')))
  expect(first.rows).toEqual([{ balance: 70 }])
  const impatient = createShardPool(topologyOf(cluster, 'unsettled'), { replicas: { unsettledWaitMs: 50 } })
  await expect(runInReadContext(new ReadContext(commit.tokens), () => balance(impatient))).rejects.toMatchObject({
    code: 'SHARD_UNSETTLED',
  })
  await impatient.close()
  await recoverTransactions(fleetOf(bank.pool.topology, pg.Client as never), { graceMs: 0 })
  expect(await Promise.all(reading)).toEqual([
    { seen: 130, left: 0 },
    { seen: 130, left: 0 },
  ])
  expect(context.tokenOf('shard-2')?.lsn).not.toBe('FFFFFFFF/FFFFFFFF')
})

test('a commit whose place in the log cannot be read is a commit, and reads under its token go to the primary', async () => {
  const context = new ReadContext()
  const pool = {
    topology: bank.pool.topology,
    lease: (shard: number) => bank.pool.lease(shard),
    commitToken: () => Promise.reject(new Error('no route')),
  }
  const transaction = new OneShardTransaction(pool, {}, noTelemetry)
  await runInReadContext(context, async () => {
    await transaction.execute(0, add(5))
    const { tokens } = await transaction.commit()
    for (const token of tokens) context.add(token)
  })
  const sent = decodeReadContext(encodeReadContext(context))
  expect(sent.tokenOf('shard-1')).toMatchObject({ lsn: 'FFFFFFFF/FFFFFFFF', incarnation: '0:00000000' })
})
