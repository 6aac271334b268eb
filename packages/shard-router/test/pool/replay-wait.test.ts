import { systemClock } from '@shardwright/core'
import { startLocalCluster } from '@shardwright/local-cluster'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { type ReplayServer, waitForReplay } from '../../src/pool/replay-wait.ts'

type Answer = Readonly<Record<string, unknown>> | Error

/** Answers in turn, and remembers what it was asked. PostgreSQL 19 itself could not be had. */
function serverThat(...answers: Answer[]): ReplayServer & { readonly asked: string[] } {
  const asked: string[] = []
  return {
    asked,
    context: { clock: systemClock },
    async execute({ sql }) {
      asked.push(sql)
      const answer = answers.length > 1 ? answers.shift()! : answers[0]!
      if (answer instanceof Error) throw answer
      return { command: 'WAIT', rowCount: 1, rows: [answer], fields: [], server: 'replica' }
    },
  }
}

const within = (ms: number) => systemClock.monotonicMs() + ms
const sqlError = (code: string) => Object.assign(new Error(code), { code, severity: 'ERROR' })

describe('waiting for a position in the log', () => {
  test('PostgreSQL 19 waits itself, within the budget', async () => {
    const server = serverThat({ status: 'success' })
    expect(await waitForReplay(server, '0/3000060', within(1_000), 190_001)).toBe('0/3000060')
    expect(server.asked).toHaveLength(1)
    const found = /^wait for lsn '0\/3000060' with \(mode 'standby_replay', timeout '(\d+)ms', no_throw\)$/.exec(
      server.asked[0]!,
    )
    expect(Number(found?.[1])).toBeGreaterThan(500)
    expect(Number(found?.[1])).toBeLessThanOrEqual(1_000)
  })

  test.each(['timeout', 'not in recovery', 'something new', undefined])('%s is not success', async (status) => {
    expect(await waitForReplay(serverThat({ status }), '0/1', within(100), 190_000)).toBeUndefined()
  })

  test('no time left means no wait, not an endless one', async () => {
    const server = serverThat({ status: 'success' })
    expect(await waitForReplay(server, '0/1', within(0.5), 190_000)).toBeUndefined()
    expect(server.asked).toEqual([])
  })

  test('what is no position never becomes part of a command', async () => {
    const server = serverThat({ status: 'success' })
    expect(await waitForReplay(server, "0/1'; drop table x; --", within(50), 190_000)).toBeUndefined()
    expect(server.asked).toEqual([])
  })

  test('a failed wait gives up; an unknown command is polled for instead', async () => {
    expect(await waitForReplay(serverThat(sqlError('57014')), '0/1', within(50), 190_000)).toBeUndefined()
    const polled = serverThat(sqlError('42601'), { replayed: '0/1' }, { replayed: '0/2' })
    expect(await waitForReplay(polled, '0/2', within(1_000), 190_000)).toBe('0/2')
    expect(polled.asked).toHaveLength(3)
  })

  test('older servers are polled until the time is over', async () => {
    const server = serverThat({ replayed: '0/1' })
    expect(await waitForReplay(server, '0/2', within(30), 180_004)).toBe('0/1')
    expect(server.asked.length).toBeGreaterThan(2)
    expect(server.asked.length).toBeLessThan(12)
    expect(await waitForReplay(serverThat({ replayed: null }), '0/2', within(30), 140_000)).toBeUndefined()
  })

  test('a real server that does not know the command', async () => {
    await using cluster = await startLocalCluster({ shards: 1, replicasPerShard: 1 })
    const shard = cluster.shards[0]!
    const primary = new pg.Client(shard.url)
    const standby = new pg.Client(shard.replicas[0]!.url)
    await Promise.all([primary.connect(), standby.connect()])
    await primary.query('create table t (k int)')
    const { rows } = await primary.query('select pg_current_wal_flush_lsn()::text as lsn')
    const server: ReplayServer = {
      context: { clock: systemClock },
      execute: async ({ sql }) => {
        const result = await standby.query(sql)
        return { command: result.command, rowCount: 0, rows: result.rows, fields: [], server: 'replica' }
      },
    }
    expect(await waitForReplay(server, rows[0].lsn, within(10_000), 190_000)).toMatch(/^[0-9A-F]+\/[0-9A-F]+$/)
    await Promise.all([primary.end(), standby.end()])
  })
})
