import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LocalCluster } from '@shardwright/local-cluster'
import pg from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type AppFolder, collect, normalise } from './support/app.ts'
import { type ServedApp, serveApp } from './support/served-app.ts'
import { expectTold } from './support/told-fields.ts'

let app: AppFolder
let cluster: LocalCluster
let env: Record<string, string>
let served: ServedApp

beforeAll(async () => {
  served = await serveApp(undefined, 3)
  ;({ app, cluster, env } = served)
})
afterAll(() => served?.stop())

async function query(shard: number, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: cluster.shards[shard]?.url })
  await client.connect()
  await client.query(`set search_path = public; ${text}`)
  await client.end()
}

/** What each command printed, progress first; the last test holds docs/operations.md against it. */
const printed: (readonly [command: string, text: string])[] = []

const run = async (...args: string[]) => {
  const ran = await app.call(args, env)
  const [out, err] = [normalise(ran.out), normalise(ran.err)]
  printed.push([args.join(' '), [err, out].filter(Boolean).join('\n')])
  return { code: ran.code, out, err }
}

it('init writes an application once, and never over a file', async () => {
  const elsewhere = await app.call(['init', 'json', '--yes', '--json'])
  await expectTold('init', elsewhere.out)
  const first = await run('init', '--yes', '--shards', '3', '--name', 'festival')
  expect(first).toMatchObject({ code: 0, err: '' })
  expect(first.out.split('\n').slice(0, 2)).toEqual(['wrote package.json', 'wrote shardwright.config.ts'])
  const again = await run('init', '--yes')
  expect(again.code).toBe(1)
  expect(again.err).toContain('FILE_EXISTS')
})

it('a missing variable, a missing configuration and a wrong option are told apart by their exit codes', async () => {
  const unset = await app.run(['status'])
  expect(unset).toMatchObject({ code: 1, out: '' })
  expect(unset.err).toBe(
    'ENVIRONMENT_VARIABLE_MISSING: The configuration takes a URL from SHARD_1_URL, which is not set.\n  Set it, pass --env-file <file>, or pass --local while `shardwright dev` runs.\n',
  )
  expect(await run('status', '--config', 'nowhere.ts')).toMatchObject({
    code: 1,
    err: expect.stringContaining('CONFIG_NOT_FOUND'),
  })
  expect(await run('status', '--frobnicate')).toMatchObject({
    code: 2,
    err: expect.stringContaining("unknown option '--frobnicate'"),
  })
  expect(await run('migrate', 'up', '--concurrency', 'many')).toMatchObject({ code: 2 })
  expect(await run('status', '--local')).toMatchObject({
    code: 1,
    err: expect.stringContaining('LOCAL_CLUSTER_NOT_RUNNING'),
  })
  expect(await run('nonsense')).toMatchObject({ code: 2 })
})

it('migrate: dry run, a failing shard, status, and completion of what is left', async () => {
  const dry = await run('migrate', 'up', '--dry-run')
  expect(dry.out).toContain('-- 0001_tasks (up) on shard-1\nbegin;\ncreate table "public"."tasks"')
  await query(1, 'create table tasks ()')
  const failed = await run('migrate', 'up', '--continue')
  expect(failed.code).toBe(3)
  expect(failed.out).toBe(`migration       shard    outcome time
0001_tasks  up  shard-1  done TIME
0001_tasks  up  shard-2  failed TIME
0001_tasks  up  shard-3  done TIME

Incomplete: 0001_tasks failed on shard-2. Run it again to go on.`)
  expect(failed.err).toContain('0001_tasks (up) failed on shard-2 with 42P07')
  const status = await run('migrate', 'status')
  expect(status).toMatchObject({ code: 3 })
  expect(status.out).toBe(`migration   applied  otherwise
0001_tasks      2/3  failed: shard-2

shard-2: 0001_tasks: 42P07: relation "tasks" already exists

Incomplete.`)
  await query(1, 'drop table tasks')
  expect((await run('migrate', 'up')).out).toBe(`migration       shard    outcome time
0001_tasks  up  shard-2  done TIME

Complete.`)
  expect(await run('migrate', 'up')).toMatchObject({ code: 0, out: 'Nothing to do: every shard is there already.' })
  expect(await run('migrate', 'down')).toMatchObject({ code: 4, err: expect.stringContaining('NOT_CONFIRMED') })
})

it('status, shards, topology, which and sql', async () => {
  expect((await run('status')).out).toBe(`festival: 3 shards, 1024 buckets by postgres hash, epoch 1

shard    server             version    size   conn  migr  parts  doubt  replicas
shard-1  127.0.0.1:PORT/…  18.x     SIZE  0/200   1/1      0      0  0
shard-2  127.0.0.1:PORT/…  18.x     SIZE  0/200   1/1      0      0  0
shard-3  127.0.0.1:PORT/…  18.x     SIZE  0/200   1/1      0      0  0`)
  expect((await run('shards', 'check')).out).toBe('shard-2: equal to shard-1\nshard-3: equal to shard-1')
  expect((await run('topology', 'show')).out.split('\n')[1]).toBe(
    '  shard-1  127.0.0.1:PORT/shard_1  342 buckets (0-341), 0 replicas, 0 pins',
  )
  const which = await run('which', 'tasks', '00000000-0000-0000-0000-000000000001')
  expect(which.out).toBe(
    `table   tasks by user_id (uuid)
bucket  13 of 1024
shard   shard-2
psql    psql postgres://${new URL(cluster.shards[0]?.url ?? '').username}@127.0.0.1:PORT/shard_2`.replace(
      'bucket  13',
      /bucket {2}\d+/.exec(which.out)?.[0] ?? '',
    ),
  )
  expect(Number(/bucket {2}(\d+)/.exec(which.out)?.[1]) % 16).toBe(13) // the vector of hashing.md
  expect((await run('which', 'plans', 'x')).err).toContain('UNKNOWN_TABLE')
  expect((await run('sql', 'select code, task_limit from plans order by 1', '--shard', 'shard-2')).out).toBe(
    'shard    code  task_limit\nshard-2  free  100\nshard-2  team  10000',
  )
  expect((await run('sql', 'select null as a, 1 as b', '--format', 'csv')).out).toBe(
    'shard,a,b\nshard-1,,1\nshard-2,,1\nshard-3,,1',
  )
  const refused = await run('sql', 'delete from plans')
  expect(refused.code).toBe(1)
  expect(refused.out).toBe('')
  expect(refused.err.replace(/\s+/g, ' ')).toBe(
    'STATEMENT_FAILED: shard-1, shard-2, shard-3: cannot execute DELETE in a read-only transaction (25006) --write allows it.',
  )
  expect(await run('sql', 'delete from plans', '--write')).toMatchObject({ code: 4 })
  // A text of several could switch to writing by itself; nothing of it is run.
  const several = await run('sql', 'begin read write; update plans set task_limit = 0; commit', '--shard', 'shard-2')
  expect(several).toMatchObject({ code: 1, out: '' })
  expect(several.err.replace(/\s+/g, ' ')).toContain('cannot insert multiple commands')
  // What one shard answers is printed, what another refuses is told beside it.
  const half = await run('sql', `select 1 / (current_database() <> 'shard_2')::int as one`, '--format', 'csv')
  expect(half).toMatchObject({
    code: 1,
    out: 'shard,one\nshard-1,1\nshard-3,1',
    err: expect.stringContaining('STATEMENT_FAILED: shard-2: division by zero (22012)'),
  })
  expect((await run('sql', 'vacuum plans', '--write', '--yes', '--shard', 'shard-2')).out).toBe('shard-2: 0 rows')
})

it('without a terminal nothing is shortened: whoever reads it has no columns', async () => {
  const { out } = await app.run(['status'], env)
  for (const shard of cluster.shards)
    expect(out).toContain(` ${new URL(shard.url).host}${new URL(shard.url).pathname} `)
  const long = 'x'.repeat(200)
  expect((await app.run(['sql', `select '${long}' as long`, '--shard', 'shard-1'], env)).out).toContain(long)
})

it('drift names shard and object and offers the SQL; the doctor finds strays, drift and differing copies', async () => {
  await query(2, `alter table tasks add column extra int; update plans set task_limit = 7 where code = 'free'`)
  const drift = await run('drift')
  expect(drift).toMatchObject({ code: 3 })
  expect(drift.out).toBe(`shard-3 differs from shard-1:
  column public.tasks.extra is extra
    alter table public.tasks drop column extra;`)
  // A row on the wrong shard, past the ownership CHECK.
  await query(
    2,
    `alter table tasks drop constraint shardwright_ownership;
    insert into tasks (user_id, id, title, done) select '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000001', 'stray', false`,
  )
  const doctor = await run('doctor')
  expect(doctor.code).toBe(3)
  for (const said of [
    'shard-3: column public.tasks.extra is extra, compared with shard-1',
    'shard-3: 1 rows of tasks sit here although another shard owns their',
    'shard-3: its copy of public.plans (2 rows) is not that of shard-1',
    'fsync is off',
  ]) {
    expect(doctor.out).toContain(said)
  }
  expect(doctor.out).toMatch(/^Score \d+ of 100\./)
  for (const line of doctor.out.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
  await query(
    2,
    `alter table tasks drop column extra; delete from tasks; update plans set task_limit = 100 where code = 'free'`,
  )
  expect((await run('drift')).out).toBe('No drift: 3 shards are equal to shard-1.')
  expect((await run('drift', '--write', 'schema.snapshot.json')).code).toBe(0)
  expect((await run('drift', '--snapshot', 'schema.snapshot.json')).out).toBe(
    'No drift: 3 shards are equal to the snapshot.',
  )
})

it('codegen writes the Database interface with its shard keys', async () => {
  const { out } = await run('codegen')
  expect(out).toContain(
    `  tasks: {\n    user_id: ShardKey<string>\n    id: string\n    title: string\n    done: boolean\n  }`,
  )
})

it('explain says where a query goes and why, for an expression and for a file; SQL text is refused with its reason', async () => {
  const one = await run(
    'explain',
    `db.selectFrom('tasks').selectAll().where('user_id', '=', '00000000-0000-0000-0000-000000000001')`,
  )
  expect(one.out.split('\n')[0]).toBe('one: shard-2')
  await writeFile(
    path.join(app.path, 'count.query.ts'),
    `export default (db: any) => db.selectFrom('tasks').select((eb: any) => eb.fn.countAll().as('n'))\n`,
  )
  expect((await run('explain', 'count.query.ts')).out.split('\n')[0]).toBe('fan-out: shard-1, shard-2, shard-3')
  expect(await run('explain', 'count.query.ts', '--no-fan-out')).toMatchObject({
    code: 1,
    err: expect.stringContaining('SHARD_KEY_REQUIRED'),
  })
  const confined = await run('explain', 'count.query.ts', '--for', 'user_id=00000000-0000-0000-0000-000000000001')
  expect(confined.out.split('\n')[0]).toBe('one: shard-2')
  expect(await run('explain', '--sql', 'select 1 from tasks')).toMatchObject({
    code: 1,
    err: expect.stringContaining('RAW_STATEMENT'),
  })
  expect(await run('explain', 'db.nonsense(')).toMatchObject({ code: 2 })
  await writeFile(path.join(app.path, 'broken.query.ts'), `db.selectFrom('tasks')`)
  for (const file of ['broken.query.ts', 'missing.query.ts', 'missing.sql']) {
    expect(await run('explain', file)).toMatchObject({
      code: 2,
      err: expect.stringContaining(`${file} cannot be read`),
    })
  }
})

it('shards ownership makes the checks anew; a shard that is down is shown as such by every screen', async () => {
  expect(await run('shards', 'ownership')).toMatchObject({ code: 4 })
  expect((await run('shards', 'ownership', '--yes')).out).toBe('shard-1: tasks\nshard-2: tasks') // shard-3 has lost its own above
  const dead = { ...env, SHARD_2_URL: 'postgres://someone:hidden-word@127.0.0.1:1/gone' }
  const status = await app.call(['status'], dead)
  expect(status.code).toBe(3)
  expect(status.out).toMatch(/^shard-2 {2}127\.0\.0\.1:1\/gone +down/m)
  expect((await app.call(['migrate', 'status'], dead)).out).toContain('unknown: shard-2')
  expect((await app.call(['drift'], dead)).out).toContain(
    "shard-2: Shard 'shard-2' (127.0.0.1:1/gone) cannot be reached",
  )
  expect(await app.call(['sql', 'select 1 as one'], dead)).toMatchObject({
    code: 1,
    out: 'shard    one\nshard-1  1\nshard-3  1\n',
    err: expect.stringMatching(/^SHARD_UNREACHABLE: Shard 'shard-2'/),
  })
  const up = await app.call(['migrate', 'up'], dead)
  expect(up).toMatchObject({
    code: 3,
    out: `shard-2: Shard 'shard-2' (127.0.0.1:1/gone) cannot be reached: connect
  ECONNREFUSED 127.0.0.1:1

Incomplete: nothing was started: shard-2 cannot be reached. Run it again to go
  on.\n`,
  })
  for (const ran of [status, up, await app.call(['doctor', '--json'], dead)])
    expect(ran.out + ran.err).not.toContain('hidden-word')
})

it('shards add brings an empty database to the state of the fleet, and refuses one that holds something', async () => {
  const url = (await cluster.servers[0]?.createDatabase('added')) ?? ''
  const added = await app.call(['shards', 'add', 'shard-4', '--url-env', 'SHARD_4_URL'], { ...env, SHARD_4_URL: url })
  expect(added.out).toContain('shard-4 is equal to the fleet: 1 migrations, 0 partitions made, 2 reference rows')
  expect(added.code).toBe(0)
  const other = (await cluster.servers[0]?.createDatabase('added_too')) ?? ''
  const asJson = ['shards', 'add', 'shard-5', '--url-env', 'SHARD_5_URL', '--json']
  await expectTold('shards add', (await app.call(asJson, { ...env, SHARD_5_URL: other })).out)
  const again = await app.call(['shards', 'add', 'shard-4', '--url-env', 'SHARD_4_URL'], { ...env, SHARD_4_URL: url })
  expect(again).toMatchObject({ code: 1, err: expect.stringContaining('NEW_SHARD_NOT_EMPTY') })
})

it('transfer brings all rows to the shards of another configuration, and says that both are equal', async () => {
  const urls = await Promise.all(['next_1', 'next_2'].map((name) => cluster.servers[0]?.createDatabase(name)))
  const [one = '', two = ''] = urls
  const config = await readFile(path.join(app.path, 'shardwright.config.ts'), 'utf8')
  const shards = `shards: [{ id: 'a', primary: env('NEXT_1_URL') }, { id: 'b', primary: env('NEXT_2_URL') }],`
  await writeFile(path.join(app.path, 'next.config.ts'), config.replace(/shards: \[[\s\S]*?\],/, shards))
  const both = { ...env, NEXT_1_URL: one, NEXT_2_URL: two }
  await query(0, `alter table tasks drop constraint shardwright_ownership`)
  await query(
    0,
    `insert into tasks select gen_random_uuid(), gen_random_uuid(), 't' || g, false from generate_series(1, 30) g`,
  )
  const to = (...args: string[]) => app.call([...args], both)
  expect(await to('migrate', 'up', '--config', 'next.config.ts')).toMatchObject({ code: 0 })
  expect(await to('transfer', 'next.config.ts')).toMatchObject({ code: 4 })
  const done = await to('transfer', 'next.config.ts', '--yes')
  expect(done, done.err).toMatchObject({ code: 0, out: expect.stringContaining('Equal by count and checksum') })
  expect(done.err).toContain('tasks: 30 rows, equal on both ends')
  await expectTold('transfer', (await to('transfer', 'next.config.ts', '--yes', '--json')).out)
  await query(0, 'delete from tasks')
  expect((await run('shards', 'ownership', '--yes')).out).toContain('shard-2: tasks')
})

it('every command answers --json with JSON, also when it fails, and no password is in it', async () => {
  const key = '00000000-0000-0000-0000-000000000001'
  const told: readonly (readonly [words: string, command: readonly string[]])[] = [
    ['status', ['status']],
    ['doctor', ['doctor']],
    ['drift', ['drift']],
    ['drift --write', ['drift', '--write', 'again.snapshot.json']],
    ['migrate status', ['migrate', 'status']],
    ['migrate lint', ['migrate', 'lint', '--all']],
    ['migrate up --dry-run', ['migrate', 'up', '--dry-run']],
    ['migrate up', ['migrate', 'up']],
    ['migrate down', ['migrate', 'down', '--yes']],
    ['migrate to', ['migrate', 'to', '0001_tasks', '--yes']],
    ['migrate redo', ['migrate', 'redo', '--yes']],
    ['shards list', ['shards', 'list']],
    ['shards check', ['shards', 'check']],
    ['shards ownership', ['shards', 'ownership', '--yes']],
    ['topology show', ['topology', 'show']],
    ['topology validate', ['topology', 'validate']],
    ['topology diff', ['topology', 'diff', 'shardwright.config.ts']],
    ['which', ['which', 'tasks', key]],
    ['sql', ['sql', 'select 1 as one']],
    ['sql', ['sql', 'select nothing']],
    ['explain', ['explain', 'count.query.ts']],
    ['codegen', ['codegen']],
    ['completion', ['completion', 'bash']],
    ['partitions plan', ['partitions', 'plan']],
    ['partitions apply', ['partitions', 'apply']],
    ['transactions recover', ['transactions', 'recover']],
  ]
  const refused = [
    ['which', 'nothing', '1'],
    ['migrate', 'to', 'nothing', '--yes'],
    ['nonsense'],
    ['which', 'tasks'],
    ['lookups'],
    ['status', '--frobnicate'],
  ]
  const password = new URL(cluster.shards[0]?.url ?? '').password
  const check = async (command: readonly string[], words?: string) => {
    const { out, err } = await app.call([...command, '--json'], env)
    expect(() => JSON.parse(out), `${command.join(' ')}: ${out} ${err}`).not.toThrow()
    expect(out.includes(password), command.join(' ')).toBe(false)
    if (words === undefined) expect(Object.keys(JSON.parse(out))).toEqual(['error'])
    else await expectTold(words, out)
  }
  for (const [words, command] of told) await check(command, words)
  for (const command of refused) await check(command)
  const made = await app.call(['migrate', 'new', 'later', '--sql', '--json'], env)
  await expectTold('migrate new', made.out)
  expect(path.basename((JSON.parse(made.out) as { file: string }).file)).toBe('0002_later.sql')
  await rm((JSON.parse(made.out) as { file: string }).file)
})

it('Ctrl-C ends what is under way, exits with 130, and the next run goes on', async () => {
  await writeFile(
    path.join(app.path, 'migrations', '0002_slow.sql'),
    'create table slow as select 1 as x from pg_sleep(2);\n-- shardwright: down\ndrop table slow',
  )
  const child = app.start(['migrate', 'up', '--concurrency', '1', '--no-lint'], env)
  const ended = collect(child)
  for (;;) {
    const client = new pg.Client({ connectionString: cluster.shards[0]?.url })
    await client.connect()
    const { rows } = await client.query(
      `select 1 from pg_stat_activity where query like 'create table slow%' and pid <> pg_backend_pid()`,
    )
    await client.end()
    if (rows.length > 0) break
    if (child.exitCode !== null) throw new Error((await ended).err)
    await sleep(50)
  }
  child.kill('SIGINT')
  const { code, out } = await ended
  expect(code).toBe(130)
  expect(normalise(out)).toContain('0002_slow  up  shard-2  not-started')
  expect(out).toContain('Incomplete: stopped as asked. Run it again to go on.')
  expect((await run('migrate', 'up', '--no-lint', '--canary', '1', '--then', '50%', '--then', 'all')).out).toContain(
    'Complete.',
  )
  expect(await run('migrate', 'down', '--yes')).toMatchObject({ code: 0 })
})

it('dev runs the cluster of the configuration, migrated and seeded, until Ctrl-C', async () => {
  const child = app.start(['dev'])
  const ended = collect(child)
  const file = path.join(app.path, '.shardwright', 'local.env')
  while (!existsSync(file)) {
    if (child.exitCode !== null) throw new Error((await ended).err)
    await sleep(100)
  }
  expect(await readFile(file, 'utf8')).toMatch(/^SHARD_1_URL=postgres:\/\/.*\nSHARD_2_URL=/)
  const counted = await app.run(['sql', 'select count(*) as n from tasks', '--local', '--json'])
  const total = (JSON.parse(counted.out) as { rows: { n: string }[] }[]).reduce(
    (sum, shard) => sum + Number(shard.rows[0]?.n),
    0,
  )
  expect(total).toBe(20)
  // Nothing is wrong with what `dev` starts: it has no durability because it means to have none.
  const examined = await app.run(['doctor', '--local', '--json'])
  expect(examined.code, examined.out).toBe(0)
  expect(
    (JSON.parse(examined.out) as { symptoms: { severity: string }[] }).symptoms.map(({ severity }) => severity),
  ).not.toContain('error')
  const second = await app.call(['dev'])
  expect(second).toMatchObject({ code: 1, err: expect.stringContaining('LOCAL_CLUSTER_RUNNING') })
  expect(existsSync(file)).toBe(true)
  child.kill('SIGINT')
  const { code, out } = await ended
  expect(code).toBe(130)
  expect(normalise(out)).toContain('Ready.\n  shard-1  127.0.0.1:PORT/shard_1')
  expect(existsSync(file)).toBe(false)

  const json = app.start(['dev', '--json'])
  const values = collect(json)
  while (!existsSync(file)) {
    if (json.exitCode !== null) throw new Error((await values).err)
    await sleep(100)
  }
  json.kill('SIGINT')
  const [first = '', last = ''] = (await values).out.split(/(?<=^\})\n/m)
  await expectTold('dev', first)
  expect(JSON.parse(last)).toEqual({ stopped: true })
})

it("the skeleton's own test passes", async () => {
  const ran = await collect(app.node(['--test', 'test/**/*.test.ts']))
  expect(ran.out + ran.err).toContain('pass 1')
  expect(ran.code).toBe(0)
})

it.skipIf(!existsSync('/usr/bin/script'))(
  'in a terminal of 80 columns nothing is wider, and destructive commands ask',
  async () => {
    const main = new URL('../src/main.ts', import.meta.url).pathname
    const inTerminal = (command: string, input = '') => {
      const child = spawn(
        '/usr/bin/script',
        ['-qec', `stty cols 80; ${process.execPath} --conditions=shardwright-source ${main} ${command}`, '/dev/null'],
        {
          cwd: app.path,
          env: { PATH: process.env.PATH, TERM: 'xterm', ...env } as NodeJS.ProcessEnv,
          stdio: ['pipe', 'pipe', 'pipe'],
        },
      )
      if (input) setTimeout(() => child.stdin.write(input), 1500)
      return collect(child)
    }
    const status = await inTerminal('status')
    for (const line of status.out.replaceAll('\r', '').split('\n')) expect([...line].length).toBeLessThanOrEqual(80)
    expect(status.out).toContain('festival: 3 shards')
    const asked = await inTerminal('migrate down', 'n\r')
    expect(asked.out).toContain('Take back the last migration?')
    expect(asked.out).toContain('NOT_CONFIRMED')

    await writeFile(
      path.join(app.path, 'migrations', '0003_pause.sql'),
      'create table pause as select 1 as x from pg_sleep(0.5);\n-- shardwright: down\ndrop table pause',
    )
    const drawn = await inTerminal('migrate up --no-lint')
    // What is under way is drawn in place, and nothing of it is left; what has ended stays.
    expect(drawn.out).toMatch(/[-|/\\] shard-1 {2}0003_pause {2}\d/)
    expect(drawn.out).toContain('\u001b[3A\u001b[J')
    expect(drawn.out.slice(drawn.out.lastIndexOf('\u001b['))).toContain('Complete.')
    expect(drawn.out).toMatch(/\[\d\/6\] 0003_pause on shard-\d/)
  },
)

it('docs/operations.md shows these screens: line by line, or as far as its dots say', async () => {
  const page = await readFile(new URL('../../../docs/operations.md', import.meta.url), 'utf8')
  const shown = [...page.matchAll(/^\$ shardwright (.*)\n([\s\S]*?)(?=\n\n\$ |\n```)/gm)]
  expect(shown.length).toBeGreaterThanOrEqual(10)
  // Progress comes in the order in which shards are done.
  const linesOf = (text: string) =>
    text
      .replace(/^\[\d+\//gm, '[n/')
      .replace(/postgres:\/\/\w+@/, 'postgres://USER@')
      .split('\n')
  for (const [, command = '', text = ''] of shown) {
    const documented = linesOf(normalise(text))
    const real = printed.filter(([own]) => own === command.replaceAll("'", '')).map(([, own]) => linesOf(own))
    expect(real.length, `no test runs: ${command}`).toBeGreaterThan(0)
    const fits = (lines: readonly string[]) =>
      documented.includes('...')
        ? documented.filter((line) => line !== '...').every((line) => lines.includes(line))
        : documented.toSorted().join('\n') === lines.toSorted().join('\n')
    if (!real.some(fits)) expect(real.at(-1)?.join('\n'), command).toBe(documented.join('\n'))
  }
})
