import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createShardPool } from '../../src/pool/create-shard-pool.ts'
import type { Lease, ShardPool } from '../../src/pool/shard-pool.ts'
import { failureOf, read, topologyOf, write } from './pool-fixture.ts'

const select = (k: number) => read('select * from items where k = $1', k)
const update = (k: number) => write('update items set n = n + 1 where k = $1', k)
const returning = (k: number) => write('update items set n = n + 1 where k = $1 returning *', k)

describe('transactions on a lease', () => {
  let cluster: LocalCluster
  let pool: ShardPool

  beforeAll(async () => {
    cluster = await startLocalCluster({ shards: 1, databasePerShard: true })
  })
  afterAll(() => cluster.stop())
  beforeEach(async () => {
    pool = createShardPool(topologyOf(cluster), { size: { minimum: 0, maximum: 1, overflow: 0 } })
    await pool.execute(0, write('drop table if exists items'))
    await pool.execute(0, write('create table items (k int primary key, n int not null default 0)'))
    await pool.execute(0, write('insert into items select g from generate_series(1, 9) g'))
  })
  afterEach(() => pool.close())

  const transaction = async (work: (lease: Lease) => Promise<void>, begin = 'begin') => {
    const lease = await pool.lease(0)
    try {
      expect((await lease.execute(write(begin))).command).toBe('BEGIN')
      await work(lease)
      expect((await lease.execute(write('commit'))).command).toBe('COMMIT')
    } finally {
      lease.release()
    }
  }
  const ddl = async (sql: string) => {
    const client = await pool.direct(0)
    await client.query(sql)
    await client.end()
  }

  test('BEGIN travels with the first statement and is in force for it', async () => {
    await transaction(async (lease) => {
      const sql =
        "select current_setting('transaction_isolation') i, current_setting('transaction_read_only') r where 1 = $1"
      for (let run = 0; run < 3; run++) {
        expect((await lease.execute(read(sql, 1))).rows).toEqual([{ i: 'serializable', r: 'on' }])
      }
      expect((await failureOf(lease.execute(update(1)))).code).toBe('25006')
      await lease.execute(write('rollback'))
      await lease.execute(write('begin'))
    }, 'start transaction isolation level serializable read only')
  })

  test('a first statement that fails leaves the transaction failed, as with BEGIN before it', async () => {
    const lease = await pool.lease(0)
    await lease.execute(write('begin'))
    expect((await failureOf(lease.execute(read('select nothing from items where k = $1', 1)))).code).toBe('42703')
    expect((await failureOf(lease.execute(select(1)))).code).toBe('25P02')
    expect((await lease.execute(write('commit'))).command).toBe('ROLLBACK')
    await lease.execute(write('begin'))
    const bad = {
      toPostgres: () => {
        throw new Error('cannot be sent')
      },
    }
    expect((await failureOf(lease.execute(read('select * from items where k = $1', bad)))).message).toBe(
      'cannot be sent',
    )
    await lease.execute(update(1))
    await lease.execute(write('rollback'))
    lease.release()
    expect((await pool.execute(0, read('select n from items where k = $1', 1))).rows).toEqual([{ n: 0 }])
  })

  test('nothing but BEGIN: commit, rollback, client and stream find themselves in a transaction', async () => {
    await transaction(async () => {})
    const lease = await pool.lease(0)
    await lease.execute(write('begin'))
    const raw = await lease.client.query<{ n: number }>('update items set n = 5 where k = 1 returning n')
    expect(raw.rows).toEqual([{ n: 5 }])
    await lease.execute(write('rollback'))
    await lease.execute(write('begin'))
    for await (const chunk of lease.stream(read('update items set n = 7 returning n'), 3))
      expect(chunk.rows[0]).toEqual({ n: 7 })
    await lease.execute(write('rollback'))
    lease.release()
    expect((await pool.execute(0, read('select sum(n)::int n from items'))).rows).toEqual([{ n: 0 }])
  })

  test('DDL between and inside of transactions is not noticed', async () => {
    const work = async (lease: Lease) => {
      await lease.execute(select(1))
      await lease.execute(update(1))
      await lease.execute(returning(2))
      await lease.execute(select(2))
    }
    for (let run = 0; run < 4; run++) await transaction(work)
    await ddl('alter table items add column extra int default 9')
    await transaction(work)
    await transaction(work)
    const lease = await pool.lease(0)
    await lease.execute(write('begin'))
    await lease.execute(read('select 1 as one where 1 = $1', 1))
    await ddl('alter table items add column more text')
    expect((await lease.execute(returning(3))).rows).toEqual([{ k: 3, n: 1, extra: 9, more: null }])
    expect((await lease.execute(select(3))).rows).toEqual([{ k: 3, n: 1, extra: 9, more: null }])
    await lease.execute(write('discard plans'))
    await lease.execute(update(3))
    await lease.execute(write('deallocate all'))
    await lease.execute(update(3))
    await lease.execute(write('commit'))
    lease.release()
    expect((await pool.execute(0, read('select n from items where k = $1', 3))).rows).toEqual([{ n: 3 }])
  })

  test('writes go by name in transactions too', async () => {
    for (let run = 0; run < 4; run++) {
      await transaction(async (lease) => {
        await lease.execute(select(1))
        await lease.execute(update(1))
      })
    }
    const lease = await pool.lease(0)
    const { rows } = await lease.execute(read('select statement from pg_prepared_statements order by statement'))
    expect((rows as { statement: string }[]).map((row) => row.statement)).toEqual([select(1).sql, update(1).sql])
    lease.release()
    expect((await pool.execute(0, read('select n from items where k = $1', 1))).rows).toEqual([{ n: 4 }])
  })
})
