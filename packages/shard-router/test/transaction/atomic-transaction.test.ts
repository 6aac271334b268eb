import { type Commit, defineSchema, noTelemetry, type ShardKey, sharded } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { AbortedTransactionError } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ShardPool } from '../../src/pool/shard-pool.ts'
import { createShardRouter } from '../../src/shard-router.ts'
import { createAtomicContext } from '../../src/transaction/atomic-context.ts'
import type { ProtocolPoint } from '../../src/transaction/atomic-options.ts'
import { AtomicTransaction } from '../../src/transaction/atomic-transaction.ts'
import { installTransactions } from '../../src/transaction/recovery.ts'
import { failureOf, read, topologyOf, write } from '../pool/pool-fixture.ts'
import { add, Bank } from './transaction-fixture.ts'

describe('an atomic transaction', () => {
  let cluster: LocalCluster
  let bank: Bank

  beforeAll(async () => {
    cluster = await startLocalCluster({ shards: 3, databasePerShard: true })
    bank = new Bank(cluster, 'atomic')
  })
  afterAll(async () => {
    await bank.close()
    await cluster.stop()
  })
  beforeEach(() => bank.reset())

  const transfer = async (transaction = bank.begin()) => {
    await Promise.all([
      transaction.execute(0, add(-30)),
      transaction.execute(1, add(10)),
      transaction.execute(2, add(20)),
    ])
    return transaction
  }

  test('commits on all shards, with a token of each, and leaves nothing prepared', async () => {
    const transaction = await transfer()
    const seen: Commit[] = []
    transaction.scope.afterCommit((commit) => void seen.push(commit))
    expect(transaction.shards).toHaveLength(3)
    expect(await bank.balances()).toEqual([100, 100, 100])
    const commit = await transaction.commit()
    expect(commit.tokens.map(({ shard }) => shard).sort()).toEqual(['shard-1', 'shard-2', 'shard-3'])
    expect(commit.unsettled).toEqual([])
    expect(seen).toEqual([commit])
    expect(await bank.balances()).toEqual([70, 110, 120])
    expect(await bank.prepared()).toEqual([])
  })

  test('the decision stands at the decider, the first writer, and nowhere else', async () => {
    const transaction = bank.begin()
    await transaction.execute(2, read('select 1'))
    await transaction.execute(1, add(1))
    await transaction.execute(0, add(-1))
    await transaction.commit()
    const at = async (shard: number) =>
      await bank.run(
        shard,
        `select outcome, participants from shardwright.transaction_decision where txid = '${transaction.txid}'`,
      )
    expect(await at(1)).toEqual([{ outcome: 'commit', participants: ['shard-2', 'shard-1'] }])
    const [table] = await bank.run(2, "select to_regclass('shardwright.transaction_decision')::text as name")
    const elsewhere = (table as { name: string | null }).name === null ? [] : await at(2)
    expect(elsewhere).toEqual([])
  })

  test('prepares nothing when only one shard wrote, also when others were locked or asked', async () => {
    const steps: string[] = []
    const transaction = bank.begin({}, { onStep: ({ step }: ProtocolPoint) => void steps.push(step) })
    await transaction.execute(0, read('select 1'))
    await transaction.execute(1, write('select * from account where false'))
    await transaction.execute(2, add(5))
    transaction.scope.afterCommit(() => {})
    const commit = await transaction.commit()
    expect(commit.tokens.map(({ shard }) => shard)).toEqual(['shard-3'])
    expect(steps).toEqual([])
    expect(await bank.balances()).toEqual([100, 100, 105])
  })

  test('asks the first for its number once, when a second shard joins: it decides without another question', async () => {
    const texts: string[] = []
    const pool: ShardPool = new Proxy(bank.pool, {
      get: (target, name) => {
        const value = target[name as keyof ShardPool]
        if (name !== 'lease') return typeof value === 'function' ? (value as () => unknown).bind(target) : value
        return async (...call: Parameters<ShardPool['lease']>) => {
          const lease = await target.lease(...call)
          const { execute } = lease
          lease.execute = (statement, options) => {
            texts.push(statement.sql)
            return execute.call(lease, statement, options)
          }
          return lease
        }
      },
    })
    for (let round = 0; round < 3; round++) {
      texts.length = 0
      const transaction = new AtomicTransaction(createAtomicContext(pool, noTelemetry), {})
      await transaction.execute(0, add(-1))
      expect(texts.filter((text) => text.includes('pg_current_xact_id'))).toEqual([])
      await transaction.execute(1, add(1))
      await transaction.commit()
    }
    // Sessions are known by now: the number for the decision, and the one by which the other's fate can be asked for.
    const asked = texts.filter((text) => text.includes('pg_current_xact_id') && !text.includes('prepare transaction'))
    expect(asked).toHaveLength(1)
    expect(asked[0]).toContain('application_name')
  })

  test('goes through every step, in order, prepares before it decides, decides before it settles', async () => {
    const points: ProtocolPoint[] = []
    await (await transfer(bank.begin({}, { onStep: (point) => void points.push(point) }))).commit()
    const order = points.map(({ step }) => step)
    expect(order.filter((step) => step === 'after prepare')).toHaveLength(2)
    expect(order.lastIndexOf('after prepare')).toBeLessThan(order.indexOf('before decision'))
    expect(order.indexOf('after decision')).toBeLessThan(order.indexOf('before commit prepared'))
    expect(order.filter((step) => step === 'after commit prepared')).toHaveLength(2)
  })

  test('rolls back on all shards', async () => {
    const transaction = await transfer()
    let rolledBack = 0
    transaction.scope.afterRollback(() => void rolledBack++)
    await transaction.rollback()
    expect(rolledBack).toBe(1)
    expect(await bank.balances()).toEqual([100, 100, 100])
    expect((await failureOf(transaction.execute(0, add(1)))).code).toBe('TRANSACTION_ENDED')
  })

  test('a statement that failed on one shard fails the transaction on all; commit commits nothing anywhere', async () => {
    const transaction = await transfer()
    expect((await failureOf(transaction.execute(1, write('insert into account values (1, 1)')))).code).toBe('23505')
    expect((await failureOf(transaction.execute(2, add(1)))).code).toBe('TRANSACTION_FAILED')
    await expect(transaction.commit()).rejects.toBeInstanceOf(AbortedTransactionError)
    expect(await bank.balances()).toEqual([100, 100, 100])
    expect(await bank.prepared()).toEqual([])
  })

  test('a failure that only the server knows of (its transaction is aborted) commits nothing anywhere', async () => {
    for (const broken of [0, 1]) {
      const transaction = await transfer()
      // Past the transaction's eyes, as a middleware with the raw session might do it.
      const lease = await bank.pool.lease(broken)
      const [{ pid }] = (await bank.run(
        broken,
        `select pid from pg_stat_activity where application_name like '%${transaction.txid}' and datname = current_database()`,
      )) as [{ pid: number }]
      await lease.execute(write('select pg_terminate_backend($1)', pid))
      lease.release()
      await expect(transaction.commit()).rejects.toThrow()
      expect(await bank.balances()).toEqual([100, 100, 100])
      expect(await bank.prepared()).toEqual([])
    }
  })

  test('a deferred constraint that fails at PREPARE or at the decision commits nothing anywhere', async () => {
    for (const failing of [0, 1]) {
      await bank.reset()
      await bank.run(failing, 'alter table account add constraint once unique (balance) deferrable initially deferred')
      const transaction = bank.begin()
      await transaction.execute(0, add(-1))
      await transaction.execute(1, add(1))
      await transaction.execute(failing, write('insert into account select 2, balance from account'))
      expect((await failureOf(transaction.commit())).code).toBe('23505')
      expect(await bank.balances()).toEqual([100, 100, 100])
      expect(await bank.prepared()).toEqual([])
    }
  })

  test('savepoints hold on every shard, also on one that joined later', async () => {
    const transaction = bank.begin()
    await transaction.execute(0, add(-1))
    await transaction.savepoint('savepoint a', 'a')
    await transaction.execute(1, add(50))
    await transaction.savepoint('savepoint b', 'b')
    await transaction.execute(2, add(50))
    expect((await failureOf(transaction.execute(2, write('select 1/0')))).code).toBe('22012')
    await transaction.rollbackToSavepoint('rollback to b', 'b')
    await transaction.execute(2, add(1))
    await transaction.rollbackToSavepoint('rollback to a', 'a')
    await transaction.execute(1, add(1))
    await transaction.releaseSavepoint('release savepoint a', 'a')
    await transaction.commit()
    expect(await bank.balances()).toEqual([99, 101, 100])
  })

  test('the decider has a number before anything is prepared, also when its rows were taken by a trigger', async () => {
    await bank.run(
      0,
      `create or replace view taken as select 1 as id;
       create or replace function take() returns trigger language plpgsql as $$ begin return new; end $$;
       create or replace trigger take instead of insert on taken for each row execute function take()`,
    )
    interface Part {
      readonly xid: string | null
      readonly query: string
    }
    const partOf = async (shard: number, txid: string) => {
      const sql = `select backend_xid::text as xid, query from pg_stat_activity where application_name like '%${txid}' and datname = current_database()`
      return (await bank.run(shard, sql))[0] as Part
    }
    for (const [round, together] of [false, true, true, true, true].entries()) {
      let looking: Promise<Part[]> | undefined
      let decider = -1
      const onStep = async ({ step, txid, shard }: ProtocolPoint) => {
        if (step === 'before decision') decider = bank.pool.topology.shards.findIndex(({ id }) => id === shard)
        if (step !== 'before prepare') return
        looking ??= Promise.all([0, 1, 2].map((each) => partOf(each, txid)))
        await looking
      }
      const transaction = bank.begin({}, { onStep })
      const insert = write('insert into taken values ($1)', 1)
      if (together) {
        await Promise.all([
          transaction.execute(0, insert),
          transaction.execute(1, add(1)),
          transaction.execute(2, add(1)),
        ])
      } else {
        await transaction.execute(0, insert)
        await transaction.execute(1, add(1))
        await transaction.execute(0, insert)
        await transaction.execute(2, add(1))
      }
      await transaction.commit()
      const parts = await looking
      expect(parts?.[decider]?.xid).toEqual(expect.any(String))
      // Shards that begin together: the number came with BEGIN, and nothing was asked behind the INSERT.
      if (round > 3) expect({ decider, query: parts?.[decider]?.query }).toEqual({ decider: 0, query: insert.sql })
    }
    expect(await bank.balances()).toEqual([100, 105, 105])
  })

  describe('whose last statements are known at once', () => {
    const insert = (id: number) => write('insert into account values ($1, $2)', id, 5)
    const everywhere = (statement = insert(2)) => [0, 1, 2].map((shard) => ({ shard, statement }))
    const rowsOf = (shard: number) => bank.run(shard, 'select id, balance from account order by id')
    /** Sessions learn of their server by their first commit. */
    const warm = async () => {
      for (let n = 0; n < 3; n++) {
        const transaction = bank.begin()
        await transaction.executeLast(
          [n, (n + 1) % 3, (n + 2) % 3].map((shard) => ({ shard, statement: insert(99 + n) })),
        )
        await transaction.commit()
      }
      await bank.reset()
    }
    beforeEach(warm)

    test('prepares behind them, decides when all are prepared, and commits on all', async () => {
      const steps: string[] = []
      const transaction = bank.begin({}, { onStep: ({ step, index }) => void steps.push(`${step} ${index}`) })
      const results = await transaction.executeLast(everywhere())
      expect(results.map(({ command, rowCount }) => `${command} ${rowCount}`)).toEqual(Array(3).fill('INSERT 1'))
      expect(await bank.prepared()).toHaveLength(2)
      expect(steps.filter((step) => step.startsWith('after prepare')).sort()).toEqual([
        'after prepare 0',
        'after prepare 1',
      ])
      await transaction.commit()
      expect(steps).toContain('after commit prepared 1')
      expect(steps.indexOf('before decision 0')).toBeGreaterThan(steps.indexOf('after prepare 1'))
      for (const shard of [0, 1, 2])
        expect(await rowsOf(shard)).toEqual([
          { id: 1, balance: 100 },
          { id: 2, balance: 5 },
        ])
      expect(await bank.prepared()).toEqual([])
    })

    test('rolls back what is prepared, when it is not committed', async () => {
      const transaction = bank.begin()
      await transaction.executeLast(everywhere())
      await transaction.rollback()
      expect(await bank.prepared()).toEqual([])
      expect(await rowsOf(1)).toHaveLength(1)
    })

    test.each([0, 1, 2])('leaves nothing when the statement fails on shard %s', async (shard) => {
      const statements = everywhere().map((each) => (each.shard === shard ? { shard, statement: insert(1) } : each))
      const transaction = bank.begin()
      expect((await failureOf(transaction.executeLast(statements))).code).toBe('23505')
      expect((await failureOf(transaction.execute(0, add(1)))).code).toBe('TRANSACTION_FAILED')
      await transaction.rollback()
      expect(await bank.prepared()).toEqual([])
      for (const each of [0, 1, 2]) expect(await rowsOf(each)).toHaveLength(1)
    })

    test('leaves nothing when PREPARE is refused: a deferred constraint, NOTIFY in a trigger', async () => {
      await bank.run(2, 'alter table account add constraint once unique (balance) deferrable initially deferred')
      const late = bank.begin()
      const doubled = everywhere(write('insert into account values (2, 100)'))
      expect((await failureOf(late.executeLast(doubled))).code).toBe('23505')
      await late.rollback()
      await bank.run(
        1,
        `create or replace function tell() returns trigger language plpgsql as $$ begin notify channel; return new; end $$;
         create trigger told before insert on account for each row execute function tell()`,
      )
      const told = bank.begin()
      expect((await failureOf(told.executeLast(everywhere()))).code).toBe('NOTIFY_IN_ATOMIC_TRANSACTION')
      await told.rollback()
      expect(await bank.prepared()).toEqual([])
      for (const each of [0, 1, 2]) expect(await rowsOf(each)).toHaveLength(1)
    })

    test('prepares nothing before the decider has its number, also when its server is slow to begin', async () => {
      const order: string[] = []
      const transaction = bank.begin({}, { onStep: ({ step }) => void order.push(step) })
      await bank.run(
        0,
        'create or replace function slow() returns int language sql as $$ select 7 from pg_sleep(0.3) $$',
      )
      const statements = everywhere()
      statements[0] = { shard: 0, statement: write('insert into account values (2, slow())') }
      const running = transaction.executeLast(statements).then(() => order.push('answered'))
      await running
      // The number came with BEGIN: the others did not wait for the decider's statement.
      expect(order.slice(-1)).toEqual(['answered'])
      expect(order.filter((step) => step === 'after prepare')).toHaveLength(2)
      await transaction.commit()
      expect(await rowsOf(0)).toEqual([
        { id: 1, balance: 100 },
        { id: 2, balance: 7 },
      ])
    })

    test('falls back to PREPARE of its own for NOTIFY, and on sessions that are new', async () => {
      const fresh = new Bank(cluster, 'atomic')
      const transaction = fresh.begin()
      await transaction.executeLast(everywhere())
      expect(await bank.prepared()).toEqual([])
      await transaction.commit()
      await fresh.close()
      expect(await rowsOf(2)).toHaveLength(2)
      const notifying = bank.begin()
      await notifying.executeLast(everywhere(write("insert into account select 3, 5 from pg_notify('channel', 'x')")))
      expect(await bank.prepared()).toEqual([])
      expect((await failureOf(notifying.commit())).code).toBe('NOTIFY_IN_ATOMIC_TRANSACTION')
    })
  })

  test('NOTIFY is refused with a hint: in a statement, and in a trigger', async () => {
    const seen = bank.begin()
    await seen.execute(0, add(-1))
    await seen.execute(1, write("select pg_notify('channel', 'moved'), balance from account for update"))
    await seen.execute(1, add(1))
    const refusal = await failureOf(seen.commit())
    expect(refusal.code).toBe('NOTIFY_IN_ATOMIC_TRANSACTION')
    expect(refusal.hint).toContain('afterCommit')
    await bank.run(
      1,
      `create or replace function tell() returns trigger language plpgsql as $$ begin notify channel; return new; end $$;
       create trigger told before update on account for each row execute function tell()`,
    )
    expect((await failureOf((await transfer()).commit())).code).toBe('NOTIFY_IN_ATOMIC_TRANSACTION')
    expect(await bank.balances()).toEqual([100, 100, 100])
    expect(await bank.prepared()).toEqual([])
  })

  test('a temporary table makes PREPARE fail: refused, and rolled back everywhere', async () => {
    const transaction = await transfer()
    await transaction.execute(1, write('create temporary table scratch (n int) on commit drop'))
    const refusal = await failureOf(transaction.commit())
    expect(refusal.code).toBe('PREPARE_REFUSED')
    expect(await bank.balances()).toEqual([100, 100, 100])
  })

  test('a wait for a lock is bounded, with a retryable error; NOWAIT keeps its own', async () => {
    const holder = bank.begin()
    await holder.execute(1, add(1))
    const waiter = bank.begin({}, { lockTimeoutMs: 300 })
    await waiter.execute(0, add(1))
    const error = await failureOf(waiter.execute(1, add(1)))
    expect(error).toMatchObject({ code: 'LOCK_TIMEOUT_ACROSS_SHARDS', retryable: true })
    await waiter.rollback()
    const impatient = bank.begin()
    expect((await failureOf(impatient.execute(1, write('select 1 from account for update nowait')))).code).toBe('55P03')
    await impatient.rollback()
    await holder.rollback()
  })

  test('isolation levels and read-only mode reach every shard', async () => {
    const transaction = bank.begin({ isolationLevel: 'serializable', accessMode: 'read only' })
    for (const shard of [0, 1]) {
      const { rows } = await transaction.execute(
        shard,
        read(
          "select current_setting('transaction_isolation') as level, current_setting('transaction_read_only') as ro",
        ),
      )
      expect(rows).toEqual([{ level: 'serializable', ro: 'on' }])
    }
    expect((await failureOf(transaction.execute(2, add(1)))).code).toBe('25006')
    await transaction.rollback()
  })

  test('the session gets its own name and lock_timeout back', async () => {
    await (await transfer()).commit()
    const [row] = await bank.run(
      0,
      "select current_setting('application_name') as name, current_setting('lock_timeout') as timeout",
    )
    expect(row).toMatchObject({ timeout: '0' })
    expect((row as { name: string }).name).not.toContain('tx')
  })

  test('fifty transfers at once over the same rows keep the sum', async () => {
    const work = Array.from({ length: 50 }, async (_, n) => {
      const transaction = bank.begin()
      try {
        // One order of shards for all, so that they queue and never wait in a circle.
        await transaction.execute(n % 2, add(-1))
        await transaction.execute(2, add(1))
        await transaction.commit()
      } catch (error) {
        await transaction.rollback()
        throw error
      }
    })
    await Promise.all(work)
    expect(await bank.balances()).toEqual([75, 75, 150])
    expect(await bank.prepared()).toEqual([])
  })
})

test('a role that may not use the schema of the decisions is told so, and writes nothing', async () => {
  await using cluster = await startLocalCluster({ shards: 2, databasePerShard: true })
  const topology = topologyOf(cluster, 'teller')
  await installTransactions(cluster.fleet('teller'))
  const onAll = async (sql: string) => {
    for (const shard of cluster.fleet('teller').shards) {
      await using connection = await shard.connect()
      await connection.script(sql)
    }
  }
  await onAll('create table account (id int primary key, balance int)')
  await onAll(`do $$ begin create role teller login password 'teller'; exception when duplicate_object then end $$`)
  await onAll('grant select, insert on account to teller')
  const schema = defineSchema<{ account: { id: ShardKey<number>; balance: number } }>()({
    tables: { account: sharded('id') },
  })
  const shards = topology.shards.map(({ id, primary }) => {
    return { id, primary: primary.url.replace(/\/\/[^@]*@/, '//teller:teller@') }
  })
  await using router = createShardRouter({
    schema,
    topology: { id: 'teller', hash: 'postgres', shards },
    recovery: false,
  })
  const rows = (from: number) => [1, 2, 3, 4, 5, 6].map((id) => ({ id: from + id, balance: 1 }))
  const insert = (from: number) => router.db.insertInto('account').values(rows(from)).execute()
  expect(await failureOf(insert(0))).toMatchObject({
    code: 'DECISION_TABLE_UNAVAILABLE',
    hint: expect.stringContaining('USAGE'),
  })
  expect(await router.fanOut().selectFrom('account').selectAll().execute()).toEqual([])
  await onAll('grant usage on schema shardwright to teller')
  await onAll('grant select, insert, delete on shardwright.transaction_decision to teller')
  await insert(10)
  expect(await router.fanOut().selectFrom('account').selectAll().execute()).toHaveLength(6)
})

describe('a shard that cannot prepare', () => {
  test('is refused by name, and one-shard writes still commit', async () => {
    await using cluster = await startLocalCluster({
      shards: 2,
      databasePerShard: true,
      settings: { max_prepared_transactions: 0 },
    })
    const bank = new Bank(cluster, 'unable')
    await bank.reset()
    const transaction = bank.begin()
    await transaction.execute(0, add(-1))
    await transaction.execute(1, add(1))
    const refusal = await failureOf(transaction.commit())
    expect(refusal.code).toBe('ATOMIC_COMMIT_UNAVAILABLE')
    expect(refusal.message).toContain("'shard-2'")
    expect(await bank.balances()).toEqual([100, 100])
    const single = bank.begin()
    await single.execute(0, add(7))
    await single.commit()
    expect(await bank.balances()).toEqual([107, 100])
    await bank.close()
    const schema = defineSchema<{ account: { id: ShardKey<number>; balance: number } }>()({
      tables: { account: sharded('id') },
    })
    const topology = topologyOf(cluster, 'unable')
    await using router = createShardRouter({ schema, topology, atomic: {} })
    expect((await failureOf(router.ready())).code).toBe('ATOMIC_COMMIT_UNAVAILABLE')
    await using careless = createShardRouter({ schema, topology })
    await careless.ready()
  })
})
