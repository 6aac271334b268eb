// monitor, scaling, views and load, on three real shards of the application that `init` writes.
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { defineTopology } from '@shardwright/core'
import type { LocalCluster } from '@shardwright/local-cluster'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { remoteServers } from '../src/commands/load/remote-servers.ts'
import { type AppFolder, collect } from './support/app.ts'
import { type ServedApp, serveApp } from './support/served-app.ts'
import { TmuxTerminal, tmuxHere } from './support/tmux.ts'
import { expectTold } from './support/told-fields.ts'

let app: AppFolder
let cluster: LocalCluster
let env: Record<string, string>
let served: ServedApp

beforeAll(async () => {
  served = await serveApp('operate', 2)
  ;({ app, cluster, env } = served)
  expect((await app.call(['migrate', 'up'], env)).code).toBe(0)
})
afterAll(() => served?.stop())

const run = (...args: string[]) => app.call(args, env)
const write = (file: string, text: string) => writeFile(path.join(app.path, file), text)
const read = (file: string) => readFile(path.join(app.path, file), 'utf8')

async function query(shard: number, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: cluster.shards[shard]?.url })
  await client.connect()
  try {
    await client.query('set search_path = public')
    await client.query(text)
  } finally {
    await client.end()
  }
}

const rule = {
  target: 'replicas',
  metric: 'connections_ratio',
  periodMs: 1000,
  periods: 1,
  increment: 1,
  coolDownMs: 0,
  minimum: 1,
  maximum: 3,
}

describe('monitor', () => {
  it('shows every shard once, with rates, within the screen; as data with --json', async () => {
    const { code, out, err } = await run('monitor')
    // A busy machine is critical, and this may be one.
    expect([0, 3]).toContain(code)
    expect(err).toBe('')
    expect(out).toMatch(/^operate, 20\d\d-/)
    expect(out).toMatch(/^shard-1 +[\d.]+ ms +\d+% +[\d.]+ /m)
    for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
    const { samples, failures } = JSON.parse((await run('monitor', '--json', '--buckets')).out)
    expect(failures).toEqual([])
    const rate = samples.find((sample: { metric: string }) => sample.metric === 'commits_per_second')
    expect(rate.value).toBeGreaterThanOrEqual(0)
    expect(samples.filter((sample: { metric: string }) => sample.metric === 'bucket_rows')).toHaveLength(1024)
  })

  it('marks what is beyond its limits, says what to do, and ends with 3; a dead shard is down and hides no other', async () => {
    const holder = new pg.Client({ connectionString: cluster.shards[0]?.url })
    await holder.connect()
    await holder.query("begin; create table doubtful (id int); prepare transaction 'cli-test'")
    await holder.end()
    const dead = { ...env, SHARD_2_URL: 'postgres://someone:hidden-word@127.0.0.1:1/gone' }
    const ran = await app.call(['monitor', '--once'], dead)
    expect(ran.code).toBe(3)
    expect(ran.out).toMatch(/^shard-1 .* 1$/m)
    expect(ran.out).toMatch(/^shard-2 +down/m)
    expect(ran.out).toContain('critical: Primary answers of shard-2 is 0.')
    expect(ran.out).toContain("Measuring connect on shard 'shard-2' failed")
    expect(ran.out).not.toContain('hidden-word')
    await query(0, "rollback prepared 'cli-test'")
    expect(await run('monitor', '--every', 'often')).toMatchObject({ code: 2 })
  })

  it.skipIf(!tmuxHere)(
    'is live in a real terminal: within it, after a new size too, and Ctrl-C leaves it clean',
    async () => {
      using terminal = new TmuxTerminal({ columns: 80, rows: 24 }, app.path)
      terminal.type('PS1="prompt> "; echo what stood here before')
      await terminal.until((text) => text.endsWith('prompt>'))
      terminal.type(app.lineOf(['monitor', '--every', '0.3'], env))
      // Rates are there from the second look on.
      const small = await terminal.until((text) => /^shard-2 +[\d.]+ ms +\d+% +\d/m.test(text))
      expect(small).toMatch(/^operate, 20\d\d-.*Z\. Ctrl-C ends it\.\n\nshard +trip/)
      expect(small).not.toContain('what stood here before')
      expect(terminal.state).toEqual({ alternate: true, cursor: false })
      const began = small.split('\n')[0] as string
      await terminal.until((text) => !text.startsWith(began))
      terminal.resize(30, 6)
      await terminal.until((text) => text.split('\n').every((line) => line.length <= 30) && /^shard-2/m.test(text))
      terminal.resize(120, 40)
      await terminal.until((text) => /^shard-2 +[\d.]+ ms .* 0$/m.test(text))
      terminal.press('C-c')
      const after = await terminal.until((text) => text.endsWith('prompt>'))
      expect(terminal.state).toEqual({ alternate: false, cursor: true })
      expect(after).toContain('what stood here before')
      // With what stands there, should it ever stand twice.
      expect(after.match(/^shard +trip/gm), after).toHaveLength(1)
      terminal.type('echo ended with $?')
      await terminal.until((text) => text.includes('ended with 130'))
    },
  )

  it('records what scaling rules replay, until Ctrl-C', async () => {
    const child = app.start(['monitor', '--every', '0.3', '--record', 'metrics.jsonl'], env)
    const ended = collect(child)
    for (let left = 100; ; left--) {
      const lines = (await read('metrics.jsonl').catch(() => '')).split('\n').length - 1
      if (lines >= 4) break
      if (left === 0 || child.exitCode !== null) throw new Error((await ended).err)
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    child.kill('SIGINT')
    expect((await ended).code).toBe(130)
    await write('scaling.json', JSON.stringify([{ ...rule, name: 'more', direction: 'up', threshold: 0.0001 }]))
    const arguments_ = ['scaling', 'replay', 'metrics.jsonl', '--rules', 'scaling.json', '--size', 'replicas=1']
    const replayed = await app.call([...arguments_, '--plot', 'replay.svg'])
    expect(replayed.out).toMatch(/more +replicas +1 > 2/)
    expect(await read('replay.svg')).toContain('connections_ratio')
    const { points, actions, sizes } = JSON.parse((await app.call([...arguments_, '--json'])).out)
    expect(points).toBeGreaterThanOrEqual(4)
    expect([actions.length, sizes]).toEqual([2, { replicas: 3 }])
  })

  it('writes rules and dashboard from the same definitions', async () => {
    const { out } = await app.call(['monitor', 'rules'])
    expect(out).toContain('alert: "ShardwrightConnectionsRatioCritical"')
    expect((await app.call(['monitor', 'rules', '--out', 'ops'])).code).toBe(0)
    expect(await read('ops/shardwright.rules.yml')).toBe(out)
    expect(JSON.parse(await read('ops/shardwright.dashboard.json')).panels.length).toBeGreaterThan(30)
  })

  it('scaling replay refuses files it cannot read', async () => {
    await write('bad.json', '{"atMs": 1, "values": {"cpu": "high"}}')
    const replay = (...more: string[]) =>
      app.call(['scaling', 'replay', 'bad.json', '--rules', 'scaling.json', ...more])
    expect(await replay('--size', 'replicas=1')).toMatchObject({
      code: 1,
      err: expect.stringContaining('MONITOR_INVALID_OPTIONS'),
    })
    expect(await replay('--size', 'replicas')).toMatchObject({ code: 2 })
    expect(await replay('--size', 'replica=1')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/No rule has the target 'replica'[\s\S]*The rules have: replicas/),
    })
    await write('bad.json', '{"atMs": 1, "values": {"cpu": 0.5}}')
    expect((await replay('--size', 'replicas=1')).out).toBe(
      '1 points: no rule fires.\nNo point has connections_ratio.\n',
    )
    const absent = { ...rule, metric: 'lag_ms', name: 'rare', direction: 'up', threshold: 1 }
    const fires = { ...rule, metric: 'cpu', name: 'more', direction: 'up', threshold: 0.1 }
    await write('both.json', JSON.stringify([absent, fires]))
    const both = ['scaling', 'replay', 'bad.json', '--rules', 'both.json', '--size', 'replicas=1']
    expect((await app.call(both)).out).toMatch(/more +replicas +1 > 2[\s\S]*No point has lag_ms\.\n$/)
    expect(JSON.parse((await app.call([...both, '--json'])).out)).toMatchObject({ absentMetrics: ['lag_ms'] })
    await write('none.json', '[]')
    expect(
      await app.call(['scaling', 'replay', 'bad.json', '--rules', 'none.json', '--size', 'replicas=1']),
    ).toMatchObject({ code: 2, err: expect.stringContaining('There is no rule in none.json.') })
    await write('bad.json', '{"atMs": 1,')
    expect((await replay('--size', 'replicas=1')).err).toContain('bad.json, line 1 is no JSON')
    expect(await app.call(['scaling', 'replay', 'nowhere', '--rules', 'scaling.json', '--size', 'a=1'])).toMatchObject({
      code: 2,
    })
  })
})

describe('views', () => {
  it('are created, refreshed and looked at', async () => {
    for (const name of ['list', 'create', 'refresh', 'status']) {
      expect(await run('views', name)).toMatchObject({ code: 0, out: 'The configuration has no views.\n', err: '' })
    }
    for (const name of ['plan', 'apply']) {
      expect(await run('partitions', name)).toMatchObject({
        code: 0,
        out: 'The configuration has no partition policies.\n',
      })
    }
    expect(await run('lookups', 'verify')).toMatchObject({ code: 0, out: 'The schema has no lookups.\n' })
    expect(await run('views', 'refresh', 'nothing')).toMatchObject({ code: 1 })
    expect((await run('partitions', 'convert', 'tasks')).err).toContain('UNKNOWN_TABLE')
    await write(
      'views.ts',
      `import { sharded, defineSchema, reference, type ShardKey } from '@shardwright/core'
import { defineView } from '@shardwright/view-manager'
import { schema as plain } from './src/database.ts'
void plain
interface Database {
  tasks: { user_id: ShardKey<string>; id: string; title: string; done: boolean }
  plans: { code: string; task_limit: number }
  task_counts: { user_id: ShardKey<string>; tasks: string }
}
export const schema = defineSchema<Database>()({
  tables: { tasks: sharded('user_id'), plans: reference(), task_counts: sharded('user_id') },
})
export const counts = defineView<Database>()({
  name: 'task_counts',
  query: (db) => db.selectFrom('tasks').groupBy('user_id').select((eb) => ['user_id', eb.fn.countAll<string>().as('tasks')]),
  uniqueOn: ['user_id'],
  refresh: { every: '1 day' },
})
`,
    )
    const config = await read('shardwright.config.ts')
    await write(
      'views.config.ts',
      config
        .replace("'./src/database.ts'", "'./views.ts'")
        .replace('import { schema }', 'import { counts, schema }')
        .replace('  schema,\n', '  schema,\n  views: [counts],\n'),
    )
    const views = (...args: string[]) => run('views', ...args, '--config', 'views.config.ts')
    expect((await app.call(['views', 'list', '--config', 'views.config.ts'])).out).toBe(
      'view         kind  reads  unique on  refresh\ntask_counts  view  tasks  user_id    every 86400 s\n',
    )
    expect(await views('status')).toMatchObject({
      code: 3,
      out: expect.stringMatching(/task_counts +shard-1 +missing/),
    })
    const created = await views('create')
    expect(created).toMatchObject({ code: 0, out: expect.stringMatching(/task_counts +shard-2 +created/) })
    expect(created.out).toContain('New views have no rows yet')
    expect((await views('status')).out).toMatch(/task_counts +shard-1 +never refreshed/)
    await query(
      0,
      "insert into tasks select '00000000-0000-0000-0000-000000000001', gen_random_uuid(), 'x', false where false",
    )
    expect(await views('refresh')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/task_counts +shard-1 +refreshed +plain/),
    })
    expect((await views('refresh', 'task_counts')).out).toMatch(/refreshed +concurrently/)
    expect(await views('status')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/task_counts +shard-1 +current/),
    })
    for (const name of ['list', 'create', 'refresh', 'status'])
      await expectTold(`views ${name}`, (await views(name, '--json')).out)
    expect(await views('refresh', 'nothing')).toMatchObject({ code: 1, err: expect.stringContaining('VIEW_INVALID') })
    await query(
      0,
      `do $$ declare name text; begin
        select indexname into name from pg_indexes where tablename = 'task_counts'; execute 'drop index ' || quote_ident(name);
      end $$`,
    )
    const failed = await views('refresh')
    expect(failed).toMatchObject({ code: 3, out: expect.stringContaining('task_counts on shard-1:') })
    const withFailure = (await views('status', '--json')).out
    expect(withFailure).toContain('"state": "failed"')
    await expectTold('views status', withFailure)
    await expectTold('views refresh', (await views('refresh', '--json')).out)
    const dead = await app.call(['views', 'status', '--config', 'views.config.ts'], {
      ...env,
      SHARD_2_URL: 'postgres://x:hidden-word@127.0.0.1:1/gone',
    })
    expect(dead.code).toBe(3)
    expect(dead.out).toContain('task_counts on shard-2:')
    expect(dead.out + dead.err).not.toContain('hidden-word')
  })
})

describe('load', () => {
  const workload = (operations: string) => `import { defineLoad } from '@shardwright/cli'
import type { schema } from './src/database.ts'
const userOf = (share: number) => \`00000000-0000-0000-0000-\${String(Math.floor(share * 50)).padStart(12, '0')}\`
export default defineLoad<typeof schema>({ operations: [${operations}], limits: { p99Ms: 5000 } })
`
  const reading = `{ name: 'tasks of a user', weight: 9, run: ({ db }, { random }) => db.selectFrom('tasks').selectAll().where('user_id', '=', userOf(random())).execute() }`
  const counting = `{ name: 'count', run: ({ router }) => router.fanOut().selectFrom('tasks').select((eb) => eb.fn.countAll().as('n')).execute() }`

  it('runs a workload through the router, with percentiles and a picture', async () => {
    await write('tasks.load.ts', workload(`${reading}, ${counting}`))
    const ran = await run(
      'load',
      'tasks.load.ts',
      '--profile',
      'load',
      '--rate',
      '60',
      '--duration',
      '2',
      '--plot',
      'load.svg',
    )
    expect(ran.err).toBe('')
    expect(ran.code).toBe(0)
    expect(ran.out).toMatch(/^tasks\.load\.ts, load: ran to its end after 2\.\d s, \d+ good calls a second/)
    expect(ran.out).toMatch(/^tasks of a user +\d+ +0 +[\d.]+ ms/m)
    for (const line of ran.out.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
    expect(await read('load.svg')).toContain('tasks.load.ts, load')
    const report = JSON.parse((await run('load', 'tasks.load.ts', '--duration', '1', '--json', '--seed', '7')).out)
    expect(report).toMatchObject({ end: 'done', seed: 7, errors: 0, broken: [] })
    expect(report.latency.p99).toBeGreaterThanOrEqual(report.service.p50)
  })

  it.each(['smoke', 'load', 'stress', 'soak', 'spike'])('%s: percentiles, errors and a picture', async (profile) => {
    const failing = `{ name: 'failing', weight: 2, run: async ({ db }) => { await db.selectFrom('tasks').selectAll().execute() } }`
    await write('mixed.load.ts', workload(`${reading}, ${failing}`))
    // A smoke run makes a twentieth of the calls.
    const rate = profile === 'smoke' ? '800' : '60'
    const options = ['--profile', profile, '--rate', rate, '--duration', '1.5', '--plot', `${profile}.svg`]
    const ran = await run('load', 'mixed.load.ts', ...options, '--json')
    const report = JSON.parse(ran.out)
    // A fifth of the calls has no key: more than the limit.
    expect(ran.code).toBe(3)
    expect(report).toMatchObject({ end: 'done', errorCodes: { SHARD_KEY_REQUIRED: report.errors }, unfinished: 0 })
    expect(report.broken).toHaveLength(1)
    expect(report.errors).toBeGreaterThan(0)
    expect(report.calls).toBeGreaterThan(report.errors)
    const { p50, p90, p95, p99, p999, max } = report.latency
    expect([p50, p90, p95, p99, p999, max]).toEqual([p50, p90, p95, p99, p999, max].toSorted((a, b) => a - b))
    expect(report.memory.rssBytes.end).toBeGreaterThan(10e6)
    expect(report.memory.heapBytes.most).toBeGreaterThanOrEqual(report.memory.heapBytes.end)
    const svg = await read(`${profile}.svg`)
    expect(svg).toContain(`mixed.load.ts, ${profile}: ${report.calls} calls, ${report.errors} errors`)
    // Memory is drawn where it is what the run is for.
    expect(svg.match(/<path /g)).toHaveLength(profile === 'soak' ? 8 : 6)
    expect(svg).not.toContain('NaN')
  })

  it('ends by itself when calls fail, with 3 and their codes', async () => {
    await write(
      'bad.load.ts',
      workload(`{ name: 'keyless', run: ({ db }) => db.selectFrom('tasks').selectAll().execute() }`),
    )
    const ran = await run('load', 'bad.load.ts', '--profile', 'load', '--rate', '400', '--duration', '20')
    expect(ran.code).toBe(3)
    expect(ran.out).toContain('ended by itself: most calls failed')
    expect(ran.out).toMatch(/Errors: SHARD_KEY_REQUIRED \d+/)
  })

  it('goes to no server of another machine unless that is confirmed, and refuses what it does not understand', async () => {
    const elsewhere = { ...env, SHARD_2_URL: 'postgres://u:hidden-word@db.example.com/x' }
    const refused = await app.call(['load', 'tasks.load.ts'], elsewhere)
    expect(refused).toMatchObject({ code: 4, err: expect.stringContaining('db.example.com') })
    expect(refused.err).not.toContain('hidden-word')
    expect(await run('load', 'nowhere.load.ts')).toMatchObject({ code: 2 })
    expect(await run('load', 'src/database.ts')).toMatchObject({ code: 2, err: expect.stringContaining('no workload') })
    expect(await run('load', 'tasks.load.ts', '--rate', 'fast')).toMatchObject({ code: 2 })
    expect(await run('load', 'tasks.load.ts', '--profile', 'gentle')).toMatchObject({ code: 2 })
  })

  it('knows this machine from others, however a URL names them', () => {
    const remote = (primary: string, replicas: string[] = []) =>
      remoteServers(defineTopology({ hash: 'postgres', shards: [{ id: 'a', primary, replicas }] }))
    expect(remote('postgres://u@localhost/x', ['postgres://u@127.8.0.1/x', 'postgres://u@[::1]:5/x'])).toEqual([])
    expect(remote('postgres://u@localhost/x', ['postgres://u@10.0.0.5/x'])).toEqual(['10.0.0.5'])
    expect(remote('postgres://u@localhost/x?host=db.example.com')).toEqual(['db.example.com'])
    expect(remote('postgres://u@127.0.0.1.example.com/x')).toEqual(['127.0.0.1.example.com'])
    expect(remote('postgres://u@127.0.0.1:1,db2.example.com:2/x')).toEqual(['db2.example.com'])
  })
})

it('the doctor tells settings that do not fit, doubled indexes, and the next step of growth', async () => {
  await query(0, 'create index tasks_title on tasks (title); create index tasks_title_again on tasks (title)')
  const { symptoms, checks } = JSON.parse((await run('doctor', '--json')).out) as {
    symptoms: { check: string; shard?: string; message: string }[]
    checks: string[]
  }
  expect(checks).toContain('ladder')
  const said = symptoms.map(({ check, shard, message }) => `${check} ${shard}: ${message}`)
  expect(said).toContain('indexes shard-1: the index public.tasks_title_again is the same as public.tasks_title')
  expect(said.some((text) => text.startsWith('sizing shard-2: random_page_cost is 4'))).toBe(true)
  expect(said.filter((text) => text.includes('could not be made'))).toEqual([])
})

it('the operations page tells the fields of --json as they are', async () => {
  const replay = ['metrics.jsonl', '--rules', 'scaling.json', '--size', 'replicas=1']
  for (const [words, ...args] of [
    ['monitor'],
    ['monitor rules'],
    ['scaling replay', ...replay],
    ['load', 'tasks.load.ts', '--duration', '0.5'],
  ] as const) {
    await expectTold(words, (await run(...words.split(' '), ...args, '--json')).out)
  }
})
