// What processes report to the doctor, and how full stated disks are; on real servers.
import { execFileSync } from 'node:child_process'
import { type Fleet, ManualClock, noTelemetry, type Telemetry } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type Alert,
  alarmsOf,
  callerAdvice,
  callerReportsSql,
  callerTelemetry,
  createCallerReporter,
  createMonitor,
  diskUse,
  hotKeys,
  readCallerReports,
  type Sample,
} from '../src/index.ts'

let cluster: LocalCluster
let fleet: Fleet

beforeAll(async () => {
  cluster = await startLocalCluster({ shards: 2, databasePerShard: true })
  fleet = cluster.fleet()
}, 120_000)
afterAll(() => cluster?.stop())

async function onShard<R>(sql: string, shard = 0): Promise<R[]> {
  await using connection = await fleet.shards[shard]!.connect()
  return (await connection.query<R>(sql)).rows
}

/** A process whose statements scattered so often, and whose first key has so many of its thousand uses. */
function processOf(scatters: number, hot: number, next: Telemetry = noTelemetry) {
  const telemetry = callerTelemetry({ next })
  const keys = hotKeys()
  const attributes = Object.freeze({ statement: 'SELECT wallets' })
  for (let call = 0; call < scatters; call++) telemetry.record('shardwright.router.scatter_shards', 4, attributes)
  for (let use = 0; use < 2_000; use++) keys.see('festival_id', use < hot ? 'nordlicht' : `f${use}`)
  return { telemetry, keys, fleet }
}

describe('reports of processes', () => {
  it('of several at once are put together, without values of keys, and the doctor is told who and when', async () => {
    const reporters = [80, 90, 10].map((scatters, at) =>
      createCallerReporter({ ...processOf(scatters, at === 1 ? 1_200 : 0), process: `web-${at}` }),
    )
    // The table is not there: whoever is first makes it.
    await Promise.all(reporters.map((reporter) => reporter.report()))
    const { reports, failures } = await readCallerReports(fleet)
    expect(failures).toEqual([])
    expect(reports.map(({ process }) => process).toSorted()).toEqual(['web-0', 'web-1', 'web-2'])
    const advice = callerAdvice(reports)
    expect(advice.map(({ topic, severity, message }) => [topic, severity, message])).toEqual([
      [
        'scatters',
        'warning',
        expect.stringMatching(
          /^SELECT wallets went to 4 shards, 180 times lately: it names no shard key \(web-\d, \d s ago and 2 more\)$/,
        ),
      ],
      [
        'keys',
        'warning',
        expect.stringMatching(/^one festival_id has 60 % of the uses of its family \(1200 lately\) \(web-1, \d s ago/),
      ],
    ])
    const stored = JSON.stringify(await onShard('select report from shardwright.caller_reports'))
    expect(stored).not.toContain('nordlicht')
    expect(
      await onShard("select 1 from pg_class where relname = 'caller_reports' and relpersistence = 'u'"),
    ).toHaveLength(1)
  })

  it('show keys where that is asked for, replace the last one, stay bounded, and go after a day', async () => {
    await onShard(
      "insert into shardwright.caller_reports values ('old', now() - interval '25 hours', '{}'), ('other', now(), '{\"a\": 1}')",
    )
    await onShard(
      "insert into shardwright.caller_reports select 'p' || n, now() - interval '2 hours', '{}' from generate_series(1, 1500) n",
    )
    const source = processOf(500, 1_100)
    for (let name = 0; name < 200; name++) {
      source.telemetry.record('shardwright.router.scatter_shards', 2, { statement: `SELECT ${'t'.repeat(500)}${name}` })
    }
    const reporter = createCallerReporter({ ...source, process: 'web-1', showKeys: true })
    await reporter.report()
    await reporter.report()
    const { reports } = await readCallerReports(fleet)
    // One of an unknown form says nothing; those of two hours ago are too old.
    expect(reports.map(({ process }) => process).toSorted()).toEqual(['web-0', 'web-1', 'web-2'])
    expect(callerAdvice(reports).map(({ message }) => message)).toContainEqual(
      expect.stringMatching(/^festival_id = nordlicht has 55 %/),
    )
    const [{ rows, bytes }] = (await onShard<{ rows: number; bytes: number }>(
      'select count(*)::int as rows, max(length(report::text))::int as bytes from shardwright.caller_reports',
    )) as [{ rows: number; bytes: number }]
    expect(rows).toBeLessThanOrEqual(1_000)
    expect(bytes).toBeLessThan(20_000)
    expect(await onShard("select 1 from shardwright.caller_reports where process = 'old'")).toEqual([])
  })

  it('go to the next shard while the first is down; a role that may not is told so, and the loop goes on', async () => {
    const dead = { ...fleet.shards[0]!, connect: () => Promise.reject(new Error('no route')) }
    const half = { topologyId: 't', shards: [dead, fleet.shards[1]!] }
    await createCallerReporter({ ...processOf(300, 0), fleet: half, process: 'web-9' }).report()
    const { reports, failures } = await readCallerReports(half)
    expect(reports.map(({ process }) => process)).toEqual(['web-9'])
    expect(failures.map(({ shard }) => shard)).toEqual(['shard-1'])

    await onShard(
      'drop table shardwright.caller_reports; create role web login; revoke all on schema public from public',
      1,
    )
    const asWeb = {
      ...fleet.shards[1]!,
      connect: async () => {
        const connection = await fleet.shards[1]!.connect()
        await connection.query('set role web')
        return connection
      },
    }
    const logged: string[] = []
    const clock = new ManualClock()
    const source = processOf(1, 0, { ...noTelemetry, log: (_, message) => void logged.push(message) })
    const poor = { ...source, fleet: { topologyId: 't', shards: [asWeb] }, process: 'web-0', clock }
    await expect(createCallerReporter(poor).report()).rejects.toMatchObject({
      code: 'CALLER_REPORT_FAILED',
      hint: expect.stringContaining('callerReportsSql'),
    })
    await using reporter = createCallerReporter(poor)
    reporter.start()
    for (let turn = 1; turn <= 2; turn++) {
      await clock.advance(60_000)
      while (logged.length < turn || clock.sleeping === 0) await new Promise((resolve) => setTimeout(resolve, 10))
    }
    expect(logged[1]).toMatch(/permission denied/)
    await using owner = await fleet.shards[1]!.connect()
    await owner.script(callerReportsSql)
    await onShard('grant usage on schema shardwright to web', 1)
    await onShard('grant select, insert, update, delete on shardwright.caller_reports to web', 1)
    await createCallerReporter(poor).report()
    expect((await readCallerReports(half)).reports).toHaveLength(1)
    await reporter.stop()
    expect(clock.sleeping).toBe(0)
  })
})

describe('how full a disk is', () => {
  const ratioOf = (samples: readonly Sample[], shard: string) =>
    samples.find(({ metric, labels }) => metric === 'disk_ratio' && labels.shard === shard)
  const look = (machines: Parameters<typeof diskUse>[0]['machines'], of = fleet) =>
    createMonitor({ fleet: of, collectors: [diskUse({ machines })] }).collect()

  it('is what PostgreSQL has there against the size that is stated, and not told of a shard without one', async () => {
    const [{ folder }] = (await onShard<{ folder: string }>('show data_directory')).map((row) => ({
      folder: (row as unknown as { data_directory: string }).data_directory,
    })) as [{ folder: string }]
    const used = Number(/^\d+/.exec(execFileSync('du', ['-sb', folder], { encoding: 'utf8' }))?.[0])
    const { samples, failures } = await look({ 'shard-1': { diskBytes: used / 0.9 } })
    expect(failures).toEqual([])
    expect(ratioOf(samples, 'shard-1')?.value).toBeGreaterThan(0.85)
    expect(ratioOf(samples, 'shard-1')?.value).toBeLessThan(0.95)
    expect(ratioOf(samples, 'shard-2')).toBeUndefined()
    expect(alarmsOf(samples)).toMatchObject([{ metric: 'disk_ratio', level: 'critical', subject: 'shard-1/data' }])
    const roomy = await look({ 'shard-1': { diskBytes: used / 0.6 } })
    expect(alarmsOf(roomy.samples)).toEqual([])
  })

  it('is missing, with the reason, where the role may not look, and for a tablespace that is not there', async () => {
    await onShard('create role narrow')
    const shard = fleet.shards[0]!
    const connect = async () => {
      const connection = await shard.connect()
      await connection.query('set role narrow')
      return connection
    }
    const stated = { 'shard-1': { diskBytes: 1e12, tablespaceBytes: { archive: 1e12 } } }
    const refused = await look(stated, { topologyId: 't', shards: [{ ...shard, connect }] })
    expect(ratioOf(refused.samples, 'shard-1')).toBeUndefined()
    expect(refused.failures).toMatchObject([{ collector: 'disk-use', error: { code: 'COLLECTOR_FAILED' } }])
    await onShard('grant pg_monitor to narrow')
    const seen = await look(stated, { topologyId: 't', shards: [{ ...shard, connect }] })
    expect(seen.failures).toEqual([])
    expect(
      seen.samples.filter(({ metric }) => metric === 'disk_ratio').map(({ labels, value }) => [labels.volume, value]),
    ).toEqual([
      ['data', expect.any(Number)],
      ['archive', undefined],
    ])
    expect(() => diskUse({ machines: { 'shard-1': { diskBytes: -1 } } })).toThrow(/diskBytes/)
  })
})

describe('a monitor among broken callers', () => {
  it('goes on when its telemetry throws, and when a port of alerts never answers', async () => {
    const told: Alert[] = []
    const broken: Telemetry = {
      ...noTelemetry,
      gauge: () => {
        throw new Error('no gauge')
      },
      log: () => {
        throw new Error('no log')
      },
    }
    const dead = { ...fleet.shards[1]!, connect: () => Promise.reject(new Error('gone')) }
    const metrics = [
      { name: 'up', title: 'Up', unit: 'count', area: 'connections', source: 'monitor', promql: 'up' } as const,
    ]
    const limits = {
      worse: 'below',
      warning: 1,
      critical: 1,
      forMs: 0,
      clearMs: 0,
      hysteresis: 0,
      graceMs: 0,
      remedy: '',
    } as const
    await using monitor = createMonitor({
      fleet: { topologyId: 't', shards: [fleet.shards[0]!, dead] },
      collectors: [],
      telemetry: broken,
      metrics: metrics.map((metric) => ({ ...metric, limits })),
      alerts: [{ tell: () => new Promise(() => {}) }, { tell: (alert) => void told.push(alert) }],
      everyMs: 20,
      budgetMs: 400,
    })
    monitor.start()
    while (monitor.history.points().length < 3) await new Promise((resolve) => setTimeout(resolve, 20))
    expect(told).toMatchObject([{ metric: 'up', subject: 'shard-2', level: 'critical' }])
  })
})
