// The rules as Prometheus itself reads and runs them, by promtool, where it is installed.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { defaultMetrics, type MetricDefinition, prometheusRules } from '../src/index.ts'

const found = spawnSync('promtool', ['--version']).status === 0
if (!found) process.stderr.write('promtool is not on PATH: its tests are skipped\n')

const folder = mkdtempSync(join(tmpdir(), 'shardwright-promtool-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const minutes = (ms: number) => Math.ceil(ms / 60_000)
const pascal = (name: string) => name.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase())
const alertOf = (metric: MetricDefinition, level: string) => `Shardwright${pascal(metric.name)}${pascal(level)}`

interface Case {
  readonly series: string
  readonly values: string
  readonly alert: string
  /** Minute and whether it fires then. */
  readonly at: readonly (readonly [number, boolean])[]
}

function promtool(...args: string[]): { status: number | null; text: string } {
  const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: folder, encoding: 'utf8' })
  return { status, text: stdout + stderr }
}

/** Runs the cases by `promtool test rules`; labels and texts of alerts are not compared, but how many fire. */
function run(cases: readonly Case[]): void {
  writeFileSync(join(folder, 'rules.yml'), prometheusRules())
  const tests = cases.map(({ series, values, alert, at }) => ({
    interval: '1m',
    input_series: [{ series, values }],
    promql_expr_test: at.map(([minute, fires]) => ({
      expr: `count(ALERTS{alertname="${alert}",alertstate="firing"}) or vector(0)`,
      eval_time: `${minute}m`,
      exp_samples: [{ labels: '{}', value: fires ? 1 : 0 }],
    })),
  }))
  const file = { rule_files: ['rules.yml'], evaluation_interval: '1m', tests }
  writeFileSync(join(folder, 'test.yml'), JSON.stringify(file))
  const { status, text } = promtool('test', 'rules', 'test.yml')
  expect(text).toContain('SUCCESS')
  expect(status).toBe(0)
}

/** So many minutes of a value. */
const lasting = (value: number, count: number) => Array(count).fill(value).join(' ')

describe.skipIf(!found)('the Prometheus rules', () => {
  it('pass promtool check rules', () => {
    writeFileSync(join(folder, 'rules.yml'), prometheusRules())
    const { status, text } = promtool('check', 'rules', 'rules.yml')
    expect(text).toMatch(/SUCCESS: \d+ rules found/)
    expect(status).toBe(0)
    // What the dashboard asks for without a limit has to be PromQL too.
    const { limits } = defaultMetrics.find((metric) => metric.limits)!
    const all = defaultMetrics.map((metric) => ({ ...metric, limits }))
    writeFileSync(join(folder, 'all.yml'), prometheusRules({ metrics: all }))
    expect(promtool('check', 'rules', 'all.yml').status).toBe(0)
  })

  it('fire for each limit of each gauge after its time, not before, and clear when it is good again', () => {
    const gauges = defaultMetrics.filter(({ source, limits }) => source === 'monitor' && limits)
    const cases = gauges.flatMap((metric): Case[] => {
      const limits = metric.limits!
      const { worse, forMs, clearMs, graceMs } = limits
      const levels = limits.warning === limits.critical ? (['critical'] as const) : (['warning', 'critical'] as const)
      return levels.map((level) => {
        const threshold = limits[level]
        const step = Math.max(0.001, Math.abs(threshold) * 0.05)
        const bad = worse === 'above' ? threshold + step : threshold - step
        const good = worse === 'above' ? threshold - step : threshold + step
        const calm = minutes(graceMs) + 5
        const until = calm + minutes(forMs) + 2
        const values = `${lasting(good, calm)} ${lasting(bad, until - calm)} ${lasting(good, minutes(clearMs) + 10)}`
        return {
          series: `shardwright_monitor_${metric.name}{shard="s1"}`,
          values,
          alert: alertOf(metric, level),
          at: [
            [calm - 1, false],
            ...(forMs > 60_000 ? [[calm + 1, false] as const] : []),
            [until - 1, true],
            [until + minutes(clearMs) + 3, false],
          ],
        }
      })
    })
    expect(cases.length).toBeGreaterThan(10)
    run(cases)
  })

  it('take NaN, and a series that ends, for no value; a replica that comes back is given its grace', () => {
    const lag = 'shardwright_monitor_replication_lag_seconds{shard="s1",replica="r1"}'
    const up = 'shardwright_monitor_up{shard="s1"}'
    const alert = 'ShardwrightReplicationLagSecondsCritical'
    run([
      { series: lag, values: `${lasting(0, 10)} ${lasting(Number.NaN, 20)}`, alert, at: [[29, false]] },
      // Behind from its first sample: told after the grace, not before.
      {
        series: lag,
        values: lasting(900, 12),
        alert,
        at: [
          [5, false],
          [11, true],
        ],
      },
      // A restart: 3 minutes of nothing, then 4 minutes behind, then fine.
      {
        series: lag,
        values: `${lasting(0, 10)} ${lasting(Number.NaN, 3)} ${lasting(900, 4)} ${lasting(0, 5)}`,
        alert,
        at: [
          [15, false],
          [17, false],
          [21, false],
        ],
      },
      { series: up, values: `${lasting(1, 5)} stale`, alert: 'ShardwrightUpCritical', at: [[20, false]] },
    ])
  })

  it('know errors from the absence of any: statements without a failure are 0 %', () => {
    const file = (series: { series: string; values: string }[], fires: boolean) => ({
      interval: '15s',
      input_series: series,
      promql_expr_test: [
        {
          expr: 'count(ALERTS{alertname="ShardwrightErrorsRatioCritical",alertstate="firing"}) or vector(0)',
          eval_time: '20m',
          exp_samples: [{ labels: '{}', value: fires ? 1 : 0 }],
        },
      ],
    })
    const statements = { series: 'shardwright_pool_statement_seconds_count{shard="s1"}', values: '0+100x80' }
    const failures = { series: 'shardwright_pool_errors_total{shard="s1",code="57014"}', values: '0+10x80' }
    writeFileSync(join(folder, 'rules.yml'), prometheusRules())
    const tests = [file([statements], false), file([statements, failures], true)]
    writeFileSync(
      join(folder, 'errors.yml'),
      JSON.stringify({ rule_files: ['rules.yml'], evaluation_interval: '15s', tests }),
    )
    const { status, text } = promtool('test', 'rules', 'errors.yml')
    expect(text).toContain('SUCCESS')
    expect(status).toBe(0)
  })

  it('refuses a broken rule, so that the checks above mean something', () => {
    const [first] = defaultMetrics
    const broken = { ...first!, promql: 'sum by (', limits: defaultMetrics.find(({ limits }) => limits)!.limits }
    writeFileSync(join(folder, 'broken.yml'), prometheusRules({ metrics: [broken] }))
    expect(promtool('check', 'rules', 'broken.yml').status).not.toBe(0)
  })
})
