import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import {
  type CitusCluster,
  type CitusDatabase,
  citusAvailability,
  citusFromEnvironment,
  startLocalCluster,
} from '@shardwright/local-cluster'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AppFolder, collect } from './support/app.ts'
import { expectTold } from './support/told-fields.ts'

const { available } = await citusAvailability()

const config = `import { defineConfig, env } from '@shardwright/cli'
import { defineSchema, reference, sharded, single, type ShardKey } from '@shardwright/core'

interface Database {
  wallets: { festival_id: ShardKey<string>; id: string; balance: string }
  entries: { festival_id: ShardKey<string>; id: string }
  currencies: { code: string }
  settings: { name: string }
}

export default defineConfig({
  schema: defineSchema<Database>()({
    tables: {
      wallets: sharded('festival_id'),
      entries: sharded('festival_id'),
      currencies: reference(),
      settings: single('shard-1'),
    },
  }),
  topology: { engine: 'citus', id: 'festival', coordinator: env('CITUS_COORDINATOR_URL') },
})
`

const migration = `import { createReferenceTable, createShardedTable, createSingleTable } from '@shardwright/migrator'
import { sql } from 'kysely'

export async function up(db, context) {
  await sql\`set local citus.shard_count to 8\`.execute(db)
  const keyed = (t) => t.addColumn('festival_id', 'bigint').addColumn('id', 'uuid').addColumn('balance', 'numeric')
  await createShardedTable(db, context, 'wallets', (t) => keyed(t).addPrimaryKeyConstraint('wallets_pkey', ['festival_id', 'id']))
  await createShardedTable(db, context, 'entries', (t) => keyed(t).addPrimaryKeyConstraint('entries_pkey', ['festival_id', 'id']))
  await createReferenceTable(db, context, 'currencies', (t) => t.addColumn('code', 'text', (c) => c.primaryKey()))
  await createSingleTable(db, context, 'settings', (t) => t.addColumn('name', 'text', (c) => c.primaryKey()))
}
`

describe.skipIf(!available)('the commands on a Citus cluster', () => {
  let app: AppFolder
  let citus: CitusCluster
  let database: CitusDatabase
  let client: pg.Client
  let worker: string
  const run = (...args: string[]) => app.call(args, { CITUS_COORDINATOR_URL: database.url })
  const json = async (...args: string[]) => {
    const ran = await run(...args, '--json')
    return { ...ran, data: JSON.parse(ran.out) }
  }
  const told = async (words: string, ...args: string[]) => await expectTold(words, (await run(...args, '--json')).out)
  const checksum = async () =>
    (await client.query('select count(*)::text as n, sum(hashtext(w::text))::text as sum from wallets w')).rows[0]

  beforeAll(async () => {
    app = await AppFolder.make()
    await mkdir(path.join(app.path, 'migrations'))
    await writeFile(path.join(app.path, 'shardwright.config.ts'), config)
    await writeFile(path.join(app.path, 'migrations/0001_first.js'), migration)
    await writeFile(path.join(app.path, 'package.json'), '{ "type": "module" }')
    citus = await citusFromEnvironment()
    database = await citus.createDatabase()
    client = new pg.Client({ connectionString: database.url })
    await client.connect()
    worker = Object.keys(database.nodes).at(-1) as string
  }, 60_000)
  afterAll(async () => {
    await client?.end()
    await citus?.stop()
    await app?.remove()
  })

  it('status, doctor and check tell what is missing before the migrations, and nothing after them', async () => {
    expect(await run('topology', 'validate')).toMatchObject({ code: 0, out: expect.stringContaining('Citus') })
    const before = await json('status')
    expect(before).toMatchObject({ code: 3, data: { healthy: false, migrations: 1, applied: 0 } })
    expect(before.data.differences).toHaveLength(4)
    await told('citus check', 'citus', 'check')
    await told('topology validate (Citus)', 'topology', 'validate')
    expect((await json('doctor')).data.symptoms.map((symptom: { check: string }) => symptom.check)).toContain('tables')
    const migrated = await run('migrate', 'up')
    expect(migrated.out + migrated.err).toContain('Complete.')
    expect(await run('citus', 'check')).toMatchObject({ code: 0, out: expect.stringContaining('4 tables') })
    await client.query(`insert into wallets select i % 100, gen_random_uuid(), i from generate_series(1, 3000) i`)
    const after = await json('status')
    expect(after, after.out).toMatchObject({ code: 0, data: { healthy: true, engine: 'citus' } })
    await expectTold('status (Citus)', after.out)
    const screen = await run('status')
    expect(screen.out).toMatch(/^festival: Citus \d/)
    expect(screen.out).toContain('coordinator  synced, no shards')
    expect(screen.out.split('\n').every((line) => line.length <= 80)).toBe(true)
    const { data } = await json('doctor')
    // The clusters of tests run without fsync, and wait for nothing.
    expect(
      data.symptoms.filter(
        (symptom: { check: string }) => symptom.check !== 'settings' && symptom.check !== 'statements',
      ),
    ).toEqual([])
    expect(data.checks).toContain('nodes')
  }, 60_000)

  it('monitor measures every node, and doctor judges only settings that it has read', async () => {
    const { data } = await json('monitor', '--once')
    const measured = new Set(data.samples.map((sample: { labels: { shard: string } }) => sample.labels.shard))
    const [, ...workers] = Object.keys(database.nodes)
    expect(measured).toEqual(new Set(['coordinator', ...workers]))
    expect(data.failures).toEqual([])
    const messages = (await json('doctor')).data.symptoms.map((symptom: { message: string }) => symptom.message)
    expect(messages.filter((message: string) => / is :/.test(message))).toEqual([])
  })

  it('doctor names a copy of a reference table that was written past Citus, and a table that is not placed', async () => {
    await client.query(`insert into currencies values ('EUR')`)
    const shard = await client.query(
      `select shard_name from citus_shards where table_name = 'currencies'::regclass limit 1`,
    )
    const direct = new pg.Client({ connectionString: database.nodes[worker] })
    await direct.connect()
    await direct.query('set citus.enable_manual_changes_to_shards to on')
    await direct.query(`insert into ${shard.rows[0].shard_name} values ('XXX')`)
    await client.query('create table stray (id int)')
    const { code, data } = await json('doctor')
    expect(code).toBe(3)
    expect(data.symptoms).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ check: 'reference', shard: worker, severity: 'error' }),
        expect.objectContaining({ check: 'keys', message: 'public.stray has no placement: the router refuses it' }),
      ]),
    )
    await direct.query(`delete from ${shard.rows[0].shard_name} where code = 'XXX'`)
    await direct.end()
    await client.query('drop table stray')
  }, 60_000)

  it('which asks the coordinator, and its node holds the row', async () => {
    const { data, out } = await json('which', 'wallets', '42', '--show-password')
    await expectTold('which (Citus)', out)
    await told('topology show (Citus)', 'topology', 'show')
    const direct = new pg.Client({ connectionString: database.nodes[data.node] })
    await direct.connect()
    const { rows } = await direct.query(`select count(*)::int as n from ${data.shardName} where festival_id = 42`)
    await direct.end()
    expect(rows).toEqual([{ n: 30 }])
    expect((await run('which', 'wallets', 'no-number')).err).toContain('CITUS_REFUSED: Citus says 22P02')
    expect(await run('which', 'nowhere', '42')).toMatchObject({
      code: 1,
      err: expect.stringContaining('UNKNOWN_TABLE'),
    })
    expect(await run('which', 'wallets', '42', '--type', 'int8')).toMatchObject({ code: 2 })
    expect((await run('topology', 'show')).out).toContain('wallets, entries')
  }, 60_000)

  /** With changes going on, which would stop a split that stays on its node for ever. */
  async function isolateOnline(): Promise<void> {
    await client.query(`select run_command_on_all_nodes($command$ do $do$ begin
      if exists (select from pg_settings where name = 'output_plugin_libraries') then
        execute format('alter database %I set output_plugin_libraries = pgoutput, citus', current_database());
      end if;
    end $do$ $command$)`)
    const place = async () => (await json('which', 'wallets', '7')).data
    const { node } = await place()
    const isolate = ['citus', 'isolate', 'wallets', '7', '--mode', 'force_logical', '--yes']
    expect(await run(...isolate)).toMatchObject({ code: 2, err: expect.stringContaining('goes to another node') })
    expect(await run(...isolate, '--to', node)).toMatchObject({ code: 2 })
    const { data: nodes } = await json('citus', 'nodes', 'list')
    const to = nodes.find(({ name, shards }: { name: string; shards: number }) => name !== node && shards > 0).name
    let changing = true
    const changes = (async () => {
      while (changing) await client.query('update wallets set balance = balance where festival_id = 7')
    })()
    const isolated = await json(...isolate, '--to', to)
    changing = false
    await changes
    expect(isolated, isolated.out).toMatchObject({ code: 0, data: { node: to } })
    const { minHash, maxHash, node: last } = await place()
    expect(minHash).toBe(maxHash)
    expect(last).toBe(to)
  }

  it('isolates a tenant and moves its shard, and no row is lost', async () => {
    const before = await checksum()
    expect(await run('citus', 'isolate', 'wallets', '42')).toMatchObject({
      code: 4,
      err: expect.stringContaining('NOT_CONFIRMED'),
    })
    const isolated = await json('citus', 'isolate', 'wallets', '42', '--to', worker, '--yes')
    expect(isolated, isolated.out).toMatchObject({ code: 0, data: { node: worker } })
    await expectTold('citus isolate', isolated.out)
    await told('citus nodes list', 'citus', 'nodes', 'list')
    const { data } = await json('which', 'wallets', '42')
    expect(data).toMatchObject({ shardId: isolated.data.shardId, node: worker })
    expect(data.minHash).toBe(data.maxHash)
    expect((await json('which', 'entries', '42')).data.minHash).toBe(data.minHash)
    const again = await run('citus', 'isolate', 'wallets', '42', '--yes')
    expect(again).toMatchObject({ code: 1, err: expect.stringContaining('CITUS_REFUSED') })
    await isolateOnline()
    const other = Object.keys(database.nodes).find((node) => node !== worker && !node.includes('coordinator')) as string
    const target = (await json('citus', 'nodes', 'list')).data.find(
      (node: { name: string; shards: number }) => node.name !== worker && node.shards > 0,
    ).name
    expect(other).toBeDefined()
    await told('citus move', 'citus', 'move', data.shardId, '--to', target, '--yes')
    expect((await json('which', 'wallets', '42')).data.node).toBe(target)
    expect(await run('citus', 'move', '1', '--to', target, '--yes')).toMatchObject({ code: 2 })
    expect(await run('citus', 'move', data.shardId, '--to', 'nowhere:1', '--yes')).toMatchObject({ code: 2 })
    expect(await checksum()).toEqual(before)
  }, 120_000)

  it('drains a node, removes it, adds it again and rebalances, while it is watched', async () => {
    const before = await checksum()
    expect((await run('citus', 'nodes', 'remove', worker, '--yes')).err).toContain('CITUS_REFUSED')
    const drained = await run('citus', 'nodes', 'drain', worker, '--watch', '--yes')
    expect(drained, drained.err).toMatchObject({ code: 0, out: expect.stringContaining('is finished') })
    expect(drained.err).toMatch(/job \d+ running: \d+ of \d+ moves done/)
    await told('citus nodes drain', 'citus', 'nodes', 'drain', worker, '--yes')
    const node = (await json('citus', 'nodes', 'list')).data.find((entry: { name: string }) => entry.name === worker)
    expect(node).toMatchObject({ shards: 0, shouldHaveShards: false })
    await told('citus nodes remove', 'citus', 'nodes', 'remove', worker, '--yes')
    expect((await json('citus', 'nodes', 'list')).data.map((entry: { name: string }) => entry.name)).not.toContain(
      worker,
    )
    await told('citus nodes add', 'citus', 'nodes', 'add', worker, '--yes')
    const plan = await json('citus', 'rebalance', 'plan')
    await expectTold('citus rebalance plan', plan.out)
    expect(plan.code).toBe(3)
    expect(plan.data.every((move: { to: string }) => move.to === worker)).toBe(true)
    const started = await json('citus', 'rebalance', 'start', '--yes')
    expect(started).toMatchObject({ code: 0, data: { job: { counts: {} } } })
    await expectTold('citus rebalance start', started.out)
    await told('citus rebalance status', 'citus', 'rebalance', 'status')
    expect((await run('citus', 'rebalance', 'start', '--yes')).err).toContain('already running')
    const watched = await json('citus', 'rebalance', 'watch')
    expect(watched).toMatchObject({ code: 0, data: { job: { state: 'finished' } } })
    await expectTold('citus rebalance watch', watched.out)
    expect(await run('citus', 'rebalance', 'plan')).toMatchObject({ code: 0, out: 'Nothing to move.\n' })
    expect(await checksum()).toEqual(before)
    expect(await run('citus', 'nodes', 'set', worker, '--shards', 'off')).toMatchObject({ code: 0 })
    expect((await run('citus', 'rebalance', 'start', '--drain-only', '--yes')).out).toContain('runs in the background')
    const stopped = await json('citus', 'rebalance', 'stop')
    expect(stopped.data.job.state).toBe('cancelled')
    await expectTold('citus rebalance stop', stopped.out)
    expect(await run('citus', 'rebalance', 'status')).toMatchObject({ code: 3 })
    expect((await run('citus', 'rebalance', 'stop')).err).toContain('CITUS_REFUSED')
    await told('citus nodes set', 'citus', 'nodes', 'set', worker, '--shards', 'on')
    expect(await checksum()).toEqual(before)
  }, 180_000)

  it('shows hot keys by family, where they are counted', async () => {
    const { data } = await json('citus', 'tenants')
    await told('citus tenants', 'citus', 'tenants')
    await told('citus tenants --track', 'citus', 'tenants', '--track', data.tracked ? 'on' : 'off', '--yes')
    expect(typeof data.tracked).toBe('boolean')
    if (!data.tracked) {
      expect((await run('citus', 'tenants')).out).toContain('--track on')
      return
    }
    await client.query('select count(*) from wallets where festival_id = 7')
    const { tenants } = (await json('citus', 'tenants', '--limit', '3')).data
    expect(tenants).toEqual(expect.arrayContaining([expect.objectContaining({ key: '7', family: 'festival_id' })]))
  }, 60_000)

  it('explain shows the worker of a key, and the coordinator for what needs all', async () => {
    const one = await run('explain', "db.selectFrom('wallets').selectAll().where('festival_id', '=', '7')")
    const { node } = (await json('which', 'wallets', '7')).data
    expect(one, one.err).toMatchObject({ code: 0, out: expect.stringContaining(node) })
    const all = await run('explain', "db.selectFrom('wallets').select((eb) => eb.fn.countAll().as('n'))")
    expect(all, all.err).toMatchObject({ code: 0, out: expect.stringContaining('coordinator') })
  }, 60_000)

  it('recovery is Citus’ own, and commands of the other engine say what to run instead', async () => {
    expect(await run('transactions', 'recover')).toMatchObject({ code: 0, out: '0 ended, 0 left.\n' })
    await told('transactions recover (Citus)', 'transactions', 'recover')
    for (const args of [
      ['shards', 'list'],
      ['shards', 'check'],
      ['shards', 'ownership', '--yes'],
      ['topology', 'diff', 'shardwright.config.ts'],
    ]) {
      expect(await run(...args)).toMatchObject({ code: 1, err: expect.stringContaining('WRONG_ENGINE') })
    }
    expect((await run('sql', 'select count(*) from wallets', '--format', 'csv')).out).toBe(
      'shard,count\ncoordinator,3000\n',
    )
    expect((await run('drift')).code).toBe(0)
    const { out } = await run('codegen')
    expect(out).toContain('festival_id: ShardKey<')
    expect(out).not.toMatch(/citus|columnar|_\d{6}/)
    expect((await run('migrate', 'status')).out).toContain('1/1')
  }, 60_000)

  it('transfer brings the data of hash shards to the cluster, and says that both are equal', async () => {
    await using shards = await startLocalCluster({ shards: 2, databasePerShard: true })
    const hash = config.replace(
      /topology: .*/,
      `topology: { id: 'old', hash: 'murmur3', shards: [{ id: 'shard-1', primary: env('SHARD_1_URL') }, { id: 'shard-2', primary: env('SHARD_2_URL') }] },`,
    )
    await writeFile(path.join(app.path, 'hash.config.ts'), hash)
    const env = { SHARD_1_URL: shards.shards[0]!.url, SHARD_2_URL: shards.shards[1]!.url }
    const on = (...args: string[]) => app.call(args, { ...env, CITUS_COORDINATOR_URL: database.url })
    await writeFile(path.join(app.path, 'migrations/0001_first.js'), migration)
    expect(await on('migrate', 'up', '--config', 'hash.config.ts')).toMatchObject({ code: 0 })
    const direct = new pg.Client({ connectionString: env.SHARD_1_URL })
    await direct.connect()
    await direct.query(`insert into public.settings values ('theme')`)
    await direct.query(`insert into public.wallets select i, gen_random_uuid(), i from generate_series(1, 500) i`)
    await direct.end()
    const asked = await on('transfer', 'shardwright.config.ts', '--config', 'hash.config.ts')
    expect(asked).toMatchObject({ code: 4, err: expect.stringContaining('NOT_CONFIRMED') })
    const refused = await on('transfer', 'shardwright.config.ts', '--config', 'hash.config.ts', '--yes')
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('TRANSFER_TARGET_NOT_EMPTY') })
    const done = await on('transfer', 'shardwright.config.ts', '--config', 'hash.config.ts', '--restart', '--yes')
    expect(done, done.err).toMatchObject({ code: 0, out: expect.stringContaining('Equal by count and checksum') })
    expect(done.err).toContain('wallets: 500 rows, equal on both ends')
    expect((await client.query('select count(*)::int as n from wallets')).rows).toEqual([{ n: 500 }])
  }, 120_000)

  it('every command has help with an example', async () => {
    for (const command of [
      'check',
      'isolate',
      'move',
      'tenants',
      'nodes list',
      'nodes add',
      'nodes drain',
      'nodes remove',
      'nodes set',
      'rebalance plan',
      'rebalance start',
      'rebalance status',
      'rebalance watch',
      'rebalance stop',
    ]) {
      const help = await run('citus', ...command.split(' '), '--help')
      expect(help.out).toContain(`shardwright citus ${command}`)
      expect(help.out).toContain('Examples:')
    }
  }, 60_000)

  it('dev serves a database of its own in the cluster, until it is ended', async () => {
    const child = app.start(['dev', '--json'], { CITUS_URL: process.env.CITUS_URL ?? '' })
    const ended = collect(child)
    let out = ''
    await new Promise<void>((resolve, reject) => {
      child.stdout?.on('data', (text: Buffer) => {
        out += text
        if (out.includes('"ready": true')) resolve()
      })
      child.on('close', () => reject(new Error('ended early')))
    }).catch(async () => expect.fail((await ended).err))
    const status = await app.run(['status', '--local', '--json'])
    expect(JSON.parse(status.out)).toMatchObject({ healthy: true })
    child.kill('SIGTERM')
    expect((await ended).code).toBe(130)
  }, 60_000)
})
