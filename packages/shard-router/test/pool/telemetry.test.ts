import { spawnSync } from 'node:child_process'
import { noTelemetry, type Telemetry, type TelemetryAttributes } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { openTelemetry } from '../../src/opentelemetry.ts'
import { createShardPool } from '../../src/pool/create-shard-pool.ts'
import { serverAddresses } from '../../src/pool/server-address.ts'
import type { ServerContext } from '../../src/pool/server-context.ts'
import { statementSummary } from '../../src/pool/statement-summary.ts'
import { StatementTelemetry } from '../../src/pool/statement-telemetry.ts'
import { type PrometheusMetric, prometheus } from '../../src/prometheus.ts'
import { failureOf, read, topologyOf, write } from './pool-fixture.ts'

const secret = 'do-not-tell'

function promtool(command: string, subcommand = '', input = ''): { status: number | null; text: string } {
  const { status, stdout, stderr } = spawnSync('promtool', [command, subcommand].filter(Boolean), {
    input,
    encoding: 'utf8',
  })
  return { status, text: `${stdout ?? ''}${stderr ?? ''}` }
}

/** As prom-client writes it. */
async function exposition(metrics: readonly PrometheusMetric[]): Promise<string> {
  const escaped = (value: unknown) =>
    String(value).replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
  const found = await Promise.all(metrics.map((metric) => metric.get()))
  return found
    .map(({ name, help, type, values }) => {
      const lines = values.map(({ value, labels, metricName = name }) => {
        const all = Object.entries(labels).map(([key, label]) => `${key}="${escaped(label)}"`)
        return `${metricName}{${all.join(',')}} ${value}\n`
      })
      return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`
    })
    .join('')
}

describe('telemetry', () => {
  let cluster: LocalCluster

  beforeAll(async () => {
    cluster = await startLocalCluster({ shards: 1, databasePerShard: true })
  })
  afterAll(() => cluster.stop())

  const work = async (telemetry: Telemetry, beforeClose = async () => {}) => {
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
    await beforeClose()
    await pool.close()
  }

  test('counts, errors by SQLSTATE, durations and rows by statement, shard, role and lane; no value', async () => {
    const metrics = new Map<string, PrometheusMetric>()
    const lines: string[] = []
    const registry = { registerMetric: (metric: PrometheusMetric) => void metrics.set(metric.name, metric) }
    const collect = () => Promise.all([...metrics.values()].map((metric) => metric.get()))
    let all: Awaited<ReturnType<typeof collect>> = []
    await work(prometheus({ registry, log: (_level, line) => void lines.push(line) }), async () => {
      // The gauges are told once a second.
      await new Promise((resolve) => setTimeout(resolve, 1_100))
      all = await collect()
    })
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
    expect(total('shardwright_pool_statement_seconds_count', insert)).toBe(6)
    expect(total('shardwright_pool_statement_seconds_bucket', { ...insert, le: '+Inf' })).toBe(6)
    expect(total('shardwright_pool_errors_total', { ...insert, code: '23505' })).toBe(1)
    expect(total('shardwright_pool_rows_sum', { statement: 'SELECT people', lane: 'pipelined' })).toBe(15)
    expect(total('shardwright_pool_statement_seconds_count', { lane: 'lease' })).toBe(2)
    expect(total('shardwright_pool_wait_seconds_count', {})).toBeGreaterThan(0)
    expect(total('shardwright_pool_sessions', { state: 'idle' })).toBeGreaterThan(0)
    expect(JSON.stringify([all, lines])).not.toContain(secret)
    all = await collect()
    expect(total('shardwright_pool_sessions', {})).toBe(0)
  })

  test('several telemetries write to one registry, which may be cleared', async () => {
    let metrics = new Map<string, PrometheusMetric>()
    const registry = {
      registerMetric(metric: PrometheusMetric) {
        if ((metrics.get(metric.name) ?? metric) !== metric) throw new Error(`${metric.name} is registered already`)
        metrics.set(metric.name, metric)
      },
    }
    const counted = async () =>
      (await metrics.get('shardwright_pool_errors_total')!.get()).values.reduce((sum, { value }) => sum + value, 0)
    for (const telemetry of [prometheus({ registry }), prometheus({ registry })]) await work(telemetry)
    expect(await counted()).toBe(2)
    metrics = new Map()
    await work(prometheus({ registry }))
    expect(await counted()).toBe(3)
  })

  test('without shapes, statements of one kind and table are added up', async () => {
    const seriesOf = async (shapes?: boolean) => {
      const metrics = new Map<string, PrometheusMetric>()
      const registry = { registerMetric: (metric: PrometheusMetric) => void metrics.set(metric.name, metric) }
      const telemetry = prometheus({ registry, shapes })
      for (const shape of ['a', 'b', 'c']) {
        telemetry.record('shardwright.pool.statement_ms', 3, { shard: 's', statement: 'SELECT t', shape })
      }
      const { values } = await metrics.get('shardwright_pool_statement_seconds')!.get()
      return values
        .filter(({ metricName }) => metricName?.endsWith('_count'))
        .map(({ value, labels }) => [value, labels])
    }
    expect(await seriesOf(false)).toEqual([[3, { shard: 's', statement: 'SELECT t' }]])
    expect(await seriesOf()).toHaveLength(3)
  })

  test.skipIf(promtool('--version').status !== 0)('promtool accepts what is scraped', async () => {
    const metrics = new Map<string, PrometheusMetric>()
    const registry = { registerMetric: (metric: PrometheusMetric) => void metrics.set(metric.name, metric) }
    const telemetry = prometheus({ registry })
    const odd = 'tab"le\\n\n\u00fc'
    await work(telemetry)
    telemetry.record('shardwright.pool.statement_ms', 3, { statement: odd, 'a.b': true })
    const text = await exposition([...metrics.values()])
    expect(promtool('check', 'metrics', text)).toEqual({ status: 0, text: '' })
  })

  test('a telemetry that throws fails no statement, and is told once', async () => {
    const throwing = () => {
      throw new Error('full')
    }
    const broken = { count: throwing, record: throwing, gauge: throwing, span: throwing, log: throwing }
    const warnings: string[] = []
    const onWarning = ({ message }: Error) => void warnings.push(message)
    process.on('warning', onWarning)
    onTestFinished(() => void process.off('warning', onWarning))
    await work(broken)
    await work({ ...broken, span: () => ({ end: throwing }) })
    expect(warnings).toEqual(Array(2).fill('The telemetry given to Shardwright fails: Error: full'))
  })

  test('values that are written into the text are told nowhere', async () => {
    const told: unknown[] = []
    const note = (...given: unknown[]) => void told.push(given)
    const telemetry: Telemetry = {
      count: note,
      record: note,
      gauge: note,
      log: note,
      span: (...given) => {
        note(given)
        return { end: (outcome) => note(outcome?.attributes) }
      },
    }
    const pool = createShardPool(topologyOf(cluster), { telemetry })
    for (const text of [
      `select '${secret} from ${secret}' as a -- ${secret}`,
      `select $$ from ${secret}$$, E'\\'${secret}' /* /* ${secret} */ ${secret} */`,
      `select 4711, 47.11e4, x'4711', '{"a": 4711}'::jsonb from (values (4711)) as v${'3'} where 4711 = $1`,
      `select '${secret}`,
      `select $a$${secret} from ${secret}`,
      `select ${secret.replaceAll('-', '_')}('${secret}')`,
    ]) {
      await pool
        .execute(0, { sql: text, parameters: text.includes('$1') ? [4711] : [], access: 'read', rows: 'text' })
        .catch(() => {})
    }
    const given = new AbortController()
    given.abort(Object.assign(new Error(secret), { code: secret, name: secret }))
    await pool.execute(0, read('select 1'), { signal: given.signal }).catch(() => {})
    await pool.close()
    expect(JSON.stringify(told)).not.toMatch(new RegExp(`${secret}|4711`))
    expect(JSON.stringify(told)).toContain('select ?, ?, x?, ?::jsonb from (values (?)) as v3 where ? = $1')
  })

  test('parameters are told when that is asked for', async () => {
    const spans: TelemetryAttributes[] = []
    const telemetry: Telemetry = {
      ...noTelemetry,
      span: (_name, attributes) => {
        spans.push(attributes!)
        return { end() {} }
      },
    }
    const pool = createShardPool(topologyOf(cluster), { telemetry, tellParameters: true })
    const values = [1, 'text'.repeat(100), null, Buffer.from('abc'), { a: 1n }, [1, null]]
    const statement = read(`select ${values.map((_, index) => `$${index + 1}::text`).join(', ')}`, ...values)
    await pool.execute(0, statement).catch(() => {})
    await pool.close()
    const told = Object.entries(spans.find((span) => 'db.query.parameter.0' in span)!)
    expect(told.filter(([name]) => name.startsWith('db.query.parameter.'))).toEqual([
      ['db.query.parameter.0', '1'],
      ['db.query.parameter.1', `${'text'.repeat(50)}...`],
      ['db.query.parameter.2', 'null'],
      ['db.query.parameter.3', '3 bytes'],
      ['db.query.parameter.4', '{"a":"1"}'],
      ['db.query.parameter.5', '[1,null]'],
    ])
  })

  test('a hundred thousand shapes are a bounded number of series', () => {
    const context = { shard: 's1', role: 'primary', address: serverAddresses('postgres://[::1]:6543/app')[0]! }
    const series = new Set<unknown>()
    let span: TelemetryAttributes = {}
    const telemetry: Telemetry = {
      ...noTelemetry,
      record: (_name, _value, attributes) => void series.add(attributes),
      span: (_name, attributes) => {
        span = attributes!
        return { end() {} }
      },
    }
    const measured = new StatementTelemetry({ ...context, telemetry } as unknown as ServerContext)
    for (let turn = 0; turn < 100_000; turn++) {
      const text = `select "a" from "t${turn % 5_000}" where "b" = $1 limit ${turn}`
      const statement = { ...read(text), parameters: ['secret'] }
      measured.succeeded(text, 'pipelined', 1, 1, measured.start(statement, 'pipelined'))
    }
    expect(series.size).toBeLessThanOrEqual(201)
    expect(span).toMatchObject({ 'server.address': '::1', 'server.port': 6543, 'db.namespace': 'app' })
    expect(span['db.query.text']).toBe('select "a" from "t4999" where "b" = $1 limit ?')
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
    expect(statementSummary('create table if not exists t (a int)').summary).toBe('CREATE t')
    expect(statementSummary('select extract(year from day), (select 1 from b) from t').summary).toBe('SELECT t')
    expect(statementSummary('(select a from (select 1 from t) as x)').summary).toBe('SELECT t')
    expect(
      statementSummary('select c from (select $1) as one left join (select c from "t") as q(c) on false').summary,
    ).toBe('SELECT t')
    expect(statementSummary('select p.c from (select u.c from unnest($1::text[]) as u(c)) as p').summary).toBe('SELECT')
    expect(statementSummary('insert into t (a) select unnest($1::int[])').summary).toBe('INSERT t')
    expect(statementSummary('select 1 from generate_series(1, 2) g, lateral (select 1 from t) x').summary).toBe(
      'SELECT t',
    )
    expect(statementSummary('select 1 from "as"').summary).toBe('SELECT as')
    expect(statementSummary('delete from t using (select 1) as x').summary).toBe('DELETE t')
  })
})
