import type { Telemetry, TelemetryAttributes } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTelemetry } from '../../src/opentelemetry.ts'
import { createShardPool } from '../../src/pool/create-shard-pool.ts'
import { statementSummary } from '../../src/pool/statement-summary.ts'
import { type PrometheusMetric, prometheus } from '../../src/prometheus.ts'
import { failureOf, read, topologyOf, write } from './pool-fixture.ts'

const secret = 'do-not-tell'

describe('telemetry', () => {
  let cluster: LocalCluster

  beforeAll(async () => {
    cluster = await startLocalCluster({ shards: 1, databasePerShard: true })
  })
  afterAll(() => cluster.stop())

  const work = async (telemetry: Telemetry) => {
    const pool = createShardPool(topologyOf(cluster), { telemetry })
    await pool.execute(0, write('drop table if exists people'))
    await pool.execute(0, write('create table people (k int primary key, name text unique)'))
    for (let k = 0; k < 5; k++)
      await pool.execute(0, write('insert into people (k, name) values ($1, $2)', k, `${secret}${k}`))
    await failureOf(pool.execute(0, write('insert into people (k, name) values ($1, $2)', 9, `${secret}1`)))
    for (let run = 0; run < 5; run++) await pool.execute(0, read('select * from people where k < $1', 3))
    const lease = await pool.lease(0)
    await lease.execute(write('begin'))
    await lease.execute(read('select * from people where name = $1', `${secret}2`))
    await lease.execute(write('commit'))
    lease.release()
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    await pool.close()
  }

  test('counts, errors by SQLSTATE, durations and rows by statement, shard, role and lane; no value', async () => {
    const metrics = new Map<string, PrometheusMetric>()
    const lines: string[] = []
    const registry = { registerMetric: (metric: PrometheusMetric) => void metrics.set(metric.name, metric) }
    await work(prometheus({ registry, log: (_level, line) => void lines.push(line) }))
    const all = await Promise.all([...metrics.values()].map((metric) => metric.get()))
    const total = (name: string, labels: Record<string, unknown>) => {
      const found = all.flatMap(({ name: metric, values }) => values.map((value) => ({ metricName: metric, ...value })))
      return found
        .filter(
          (value) =>
            value.metricName === name && Object.entries(labels).every(([key, label]) => value.labels[key] === label),
        )
        .reduce((sum, value) => sum + value.value, 0)
    }
    const insert = { statement: 'INSERT people', shard: 'shard-1', role: 'primary' }
    expect(total('shardwright_pool_statement_ms_count', insert)).toBe(6)
    expect(total('shardwright_pool_statement_ms_bucket', { ...insert, le: '+Inf' })).toBe(6)
    expect(total('shardwright_pool_errors', { ...insert, code: '23505' })).toBe(1)
    expect(total('shardwright_pool_rows_sum', { statement: 'SELECT people', lane: 'pipelined' })).toBe(15)
    expect(total('shardwright_pool_statement_ms_count', { lane: 'lease' })).toBe(2)
    expect(total('shardwright_pool_wait_ms_count', {})).toBeGreaterThan(0)
    expect(total('shardwright_pool_sessions', { state: 'idle' })).toBeGreaterThan(0)
    expect(JSON.stringify([all, lines])).not.toContain(secret)
  })

  test('spans follow the database conventions', async () => {
    const spans: { name: string; attributes: TelemetryAttributes; status?: unknown; ended: boolean }[] = []
    const tracer = {
      startSpan: (name: string, options?: { attributes?: TelemetryAttributes }) => {
        const span = { name, attributes: { ...options?.attributes }, ended: false }
        spans.push(span)
        return {
          setAttributes: (more: TelemetryAttributes) => Object.assign(span.attributes, more),
          setStatus: (status: unknown) => Object.assign(span, { status }),
          end: () => {
            span.ended = true
          },
        }
      },
    }
    await work(openTelemetry({ tracer }))
    expect(spans.every((span) => span.ended)).toBe(true)
    const failed = spans.filter((span) => span.status !== undefined)
    expect(failed).toHaveLength(1)
    expect(failed[0]).toMatchObject({
      name: 'INSERT people',
      attributes: {
        'db.system.name': 'postgresql',
        'db.operation.name': 'INSERT',
        'db.collection.name': 'people',
        'db.response.status_code': '23505',
        'error.type': '23505',
        'server.address': '127.0.0.1',
        'shardwright.shard': 'shard-1',
      },
    })
    expect(JSON.stringify(spans)).not.toContain(secret)
  })

  test('a statement is summed up without values or aliases', () => {
    expect(statementSummary('select "a"."b" from "app"."wallets" as "a"').summary).toBe('SELECT app.wallets')
    expect(statementSummary('  with x as (select 1) update t set a = 1').summary).toBe('WITH t')
    expect(statementSummary("select 'secret'").summary).toBe('SELECT')
    expect(statementSummary('commit').summary).toBe('COMMIT')
  })
})
