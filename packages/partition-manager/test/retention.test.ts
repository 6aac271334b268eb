// biome-ignore-all lint/suspicious/noThenProperty: the policy's own word; never a function.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { Fleet } from '@shardwright/core'
import { afterEach, describe, expect, it } from 'vitest'
import { type ArchiveFunction, definePartitions, inspectPartitions, maintain, planPartitions } from '../src/index.ts'
import { connect, fleetOfUrls, partitionsOf, scalar, useServer } from './support/database.ts'

interface Database {
  events: { id: string; at: Date }
}
type Options = Parameters<ReturnType<typeof definePartitions<Database>>>[0]

const server = useServer({ max_connections: 60 })
const define = (change: Partial<Options>) =>
  definePartitions<Database>()({ table: 'events', by: 'at', every: 'month', premake: 0, fillGaps: false, ...change })

/** Twelve monthly partitions of 2020 with ten rows each, and the current one. */
const old = `
  set timezone to 'UTC';
  create table events (id int not null, at timestamptz not null, note text, primary key (id, at)) partition by range (at);
  do $$ begin
    for m in 1..12 loop
      execute format('create table events_2020_%s partition of events for values from (%L) to (%L)', lpad(m::text, 2, '0'),
        make_date(2020, m, 1), make_date(2020, m, 1) + interval '1 month');
      execute format('insert into events select g, %L::timestamptz + g * interval ''1 hour'', E''line\\nbreak\\t\\\\'' from generate_series(1, 10) g',
        make_date(2020, m, 1));
    end loop;
    execute format('create table events_now partition of events for values from (%L) to (%L)',
      date_trunc('month', now()), date_trunc('month', now()) + interval '1 month');
  end $$;`

async function tablesOf(fleet: Fleet): Promise<number> {
  await using connection = await connect(fleet)
  return await scalar<number>(
    connection,
    "select count(*)::int from pg_class where relkind = 'r' and relname like 'events_2020%'",
  )
}

async function attached(fleet: Fleet): Promise<number> {
  await using connection = await connect(fleet)
  return (await partitionsOf(connection, 'events')).filter(([name]) => name.startsWith('events_2020')).length
}

const folders: string[] = []
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true })
})

describe('retention', () => {
  it('detaches concurrently, keeps the tables, and respects the cap until forced', async () => {
    const fleet = await server.fleet(old)
    const policy = define({ retention: { keep: '12 months', then: 'detach', maxDropsPerRun: 5 } })
    const first = await maintain(fleet, [policy])
    expect(first.tables[0]?.problems.map((p) => p.code)).toEqual(['PARTITION_DROP_CAP'])
    expect(first.exitCode).toBe(0)
    expect(await attached(fleet)).toBe(7)
    await maintain(fleet, [policy], { force: true })
    expect(await attached(fleet)).toBe(0)
    expect(await tablesOf(fleet)).toBe(12)
    expect((await maintain(fleet, [policy])).tables[0]?.outcome).toBe('nothing-to-do')
  })

  it('drops', async () => {
    const fleet = await server.fleet(old)
    const report = await maintain(fleet, [define({ retention: { keep: '12 months', then: 'drop' } })])
    expect(report.tables[0]?.actions.filter((a) => a.action.kind === 'retire' && a.outcome === 'done')).toHaveLength(12)
    expect(await tablesOf(fleet)).toBe(0)
  })

  it('case 4: with a DEFAULT partition the detach is plain, decided before sending', async () => {
    const fleet = await server.fleet(`${old} create table events_default partition of events default`)
    const policy = define({ retention: { keep: '12 months', then: 'drop' } })
    await using connection = await connect(fleet)
    const plan = planPartitions(await inspectPartitions(connection, policy), policy)
    expect(plan.actions.flatMap((a) => a.sql).join()).not.toContain('concurrently')
    expect((await maintain(fleet, [policy])).exitCode).toBe(0)
    expect(await tablesOf(fleet)).toBe(0)
    expect((await partitionsOf(connection, 'events')).map(([name]) => name)).toContain('events_default')
  })

  it('case 5: judges by the real upper bound; never DEFAULT, current, future, MAXVALUE or the last one', async () => {
    const fleet = await server.fleet(`
      set timezone to 'UTC';
      create table events (id int, at timestamptz not null) partition by range (at);
      create table events_2020_min partition of events for values from (minvalue) to ('2019-01-01');
      create table events_2020_wide partition of events for values from ('2019-01-01') to ('2030-01-01');
      create table events_2020_max partition of events for values from ('2040-01-01') to (maxvalue);
      create table events_default partition of events default`)
    await using connection = await connect(fleet)
    const names = async (options: Parameters<typeof define>[0], now?: bigint) => {
      const policy = define(options)
      const plan = planPartitions(await inspectPartitions(connection, policy), policy, now, { force: true })
      return plan.actions.flatMap((a) => (a.kind === 'retire' ? [a.partition.name] : []))
    }
    expect(await names({ retention: { keep: '1 month', then: 'drop' } })).toEqual(['events_2020_min'])
    // A changed interval is no reason to drop, and neither is a clock a hundred years ahead for MAXVALUE.
    expect(await names({ every: 'day', retention: { keep: '1 day', then: 'drop' } })).toEqual(['events_2020_min'])
    const later = BigInt(Date.parse('2126-01-01T00:00:00Z')) * 1000n
    expect(await names({ retention: { keep: '1 day', then: 'drop' } }, later)).toEqual([
      'events_2020_min',
      'events_2020_wide',
    ])
  })

  it('case 5: the last partition stays', async () => {
    const fleet = await server.fleet(`create table events (id int, at timestamptz not null) partition by range (at);
      create table events_2020_01 partition of events for values from ('2020-01-01') to ('2020-02-01')`)
    await using connection = await connect(fleet)
    const policy = define({ retention: { keep: '1 month', then: 'drop' } })
    const plan = planPartitions(await inspectPartitions(connection, policy), policy)
    expect(plan.actions.map((a) => a.kind)).toEqual(['create'])
    expect(plan.problems.map((p) => p.code)).toEqual(['PARTITION_RETAINED'])
  })

  it('removes nothing when the clocks of server and caller disagree', async () => {
    const fleet = await server.fleet(old)
    const clock = {
      now: () => Date.parse('2020-06-01T00:00:00Z'),
      monotonicMs: () => performance.now(),
      sleep: async () => {},
    }
    const report = await maintain(fleet, [define({ retention: { keep: '12 months', then: 'drop' } })], { clock })
    expect(report.tables[0]?.problems.map((p) => p.code)).toEqual(['PARTITION_CLOCK_SKEW'])
    expect(report.exitCode).toBe(1)
    expect(await attached(fleet)).toBe(12)
  })

  it.each(['concurrently', 'plainly'])('case 6: referenced rows are reported, never cascaded (%s)', async (how) => {
    const fleet = await server.fleet(`${old}
      ${how === 'plainly' ? 'create table events_default partition of events default;' : ''}
      create table refs (id int, at timestamptz, foreign key (id, at) references events (id, at));
      insert into refs select id, at from events where at < '2020-02-01'`)
    const policy = define({ retention: { keep: '12 months', then: 'drop' } })
    const report = await maintain(fleet, [policy])
    const failed = report.tables[0]?.actions.filter((a) => a.outcome === 'failed')
    expect(failed?.map((a) => [a.description.split(' ')[3], a.failure?.code, a.failure?.sqlState])).toEqual([
      ['events_2020_01', 'PARTITION_REFERENCED', '23503'],
    ])
    expect(report.exitCode).toBe(1)
    expect(await attached(fleet)).toBe(1)
    await using connection = await connect(fleet)
    expect(await scalar(connection, 'select count(*)::int from refs')).toBe(10)
    await connection.script('delete from refs')
    expect((await maintain(fleet, [policy])).exitCode).toBe(0)
    expect(await tablesOf(fleet)).toBe(0)
  })

  it('case 7: a long reader of the parent delays the detach, not the writers', async () => {
    const fleet = await server.fleet(`${old} create table events_default partition of events default`)
    const policy = define({ retention: { keep: '12 months', then: 'drop', maxDropsPerRun: 1 } })
    await using reader = await connect(fleet)
    await reader.script('begin; select count(*) from events')
    const blocked = await maintain(fleet, [policy], { lockTimeoutMs: 100, lockAttempts: 3, backoffMs: 10 })
    const failed = blocked.tables[0]?.actions.find((a) => a.outcome === 'failed')
    expect(failed?.failure?.code).toBe('PARTITION_LOCK_TIMEOUT')
    expect(await attached(fleet)).toBe(12)
    // The run goes on trying while the reader reads, and ends once it is gone; a writer gets through meanwhile.
    const running = maintain(fleet, [policy], { lockTimeoutMs: 50, lockAttempts: 200, backoffMs: 20 })
    await using writer = await connect(fleet)
    for (let i = 0; i < 20; i++) await writer.query('insert into events values ($1, now())', [1000 + i])
    await reader.script('commit')
    expect((await running).exitCode).toBe(0)
    expect(await attached(fleet)).toBe(11)
  })

  it('a concurrent detach that a reader holds up between its phases is finalized by the same run', async () => {
    const fleet = await server.fleet(old)
    const policy = define({ retention: { keep: '12 months', then: 'drop', maxDropsPerRun: 1 } })
    await using reader = await connect(fleet)
    await reader.script('begin; select count(*) from events')
    const steps: string[] = []
    const running = maintain(fleet, [policy], {
      lockTimeoutMs: 50,
      lockAttempts: 500,
      backoffMs: 20,
      onProgress: ({ step }) => steps.push(step),
    })
    await until(async () => steps.includes('finalize-detach'))
    await reader.script('commit')
    expect((await running).exitCode).toBe(0)
    expect(await attached(fleet)).toBe(11)
    expect(await tablesOf(fleet)).toBe(11)
  })

  it('case 7: two runs at once neither deadlock nor do anything twice', async () => {
    const fleet = await server.fleet(old, 2)
    const policy = define({ retention: { keep: '12 months', then: 'drop' } })
    const reports = await Promise.all([maintain(fleet, [policy]), maintain(fleet, [policy]), maintain(fleet, [policy])])
    expect(reports.map((r) => r.exitCode)).toEqual([0, 0, 0])
    const done = reports.flatMap((r) => r.tables).filter((t) => t.outcome === 'done')
    expect(done.map((t) => t.shard).sort()).toEqual(['s1', 's2'])
    const busy = await Promise.all([
      maintain(fleet, [policy], { parentLockWaitMs: 0 }),
      maintain(fleet, [policy], { parentLockWaitMs: 0 }),
    ])
    expect(busy.every((r) => r.exitCode === 0)).toBe(true)
  })

  it('finalizes a concurrent detach that was cut between its phases', async () => {
    const fleet = await server.fleet(old)
    await using reader = await connect(fleet)
    await reader.script('begin; select count(*) from events')
    await using detacher = await connect(fleet)
    const { rows } = await detacher.query<{ pid: number }>('select pg_backend_pid() as pid')
    const cut = detacher
      .script('alter table events detach partition events_2020_01 concurrently')
      .catch((e: Error) => e)
    await using watcher = await connect(fleet)
    await until(() => scalar<boolean>(watcher, 'select bool_or(inhdetachpending) from pg_inherits'))
    await watcher.query('select pg_terminate_backend($1)', [rows[0]?.pid])
    expect(await cut).toBeInstanceOf(Error)
    await reader.script('commit')
    const report = await maintain(fleet, [define({})])
    expect(report.tables[0]?.actions[0]).toMatchObject({ action: { kind: 'finalize-detach' }, outcome: 'done' })
    expect(await attached(fleet)).toBe(11)
    expect(await tablesOf(fleet)).toBe(12)
  })
})

describe('what must stay', () => {
  it('case 6: a view on the partition itself stops the removal before the detach', async () => {
    const fleet = await server.fleet(`${old} create view march as select * from events_2020_03`)
    const report = await maintain(fleet, [define({ retention: { keep: '12 months', then: 'drop' } })])
    const failed = report.tables[0]?.actions.filter((a) => a.outcome === 'failed')
    expect(failed?.map((a) => a.failure?.code)).toEqual(['PARTITION_REFERENCED'])
    expect(failed?.[0]?.failure?.message).toContain('view public.march')
    expect(await attached(fleet)).toBe(1)
  })

  it('a removal that was begun is undone when the retention is taken away or made longer', async () => {
    for (const change of [{}, { retention: { keep: '90 years', then: 'drop' as const } }]) {
      const fleet = await server.fleet(old)
      // Stopped between detach and drop.
      const stopped = await maintain(
        fleet,
        [define({ retention: { keep: '12 months', then: 'drop', maxDropsPerRun: 1 } })],
        {
          onProgress: ({ step }) => {
            if (step === 'dispose') throw new Error('stop here')
          },
        },
      )
      expect(stopped.exitCode).toBe(1)
      expect(await attached(fleet)).toBe(11)
      const report = await maintain(fleet, [define({ ...change, fillGaps: true, from: '2020-01-01' })])
      expect(report.tables[0]?.actions.map((a) => [a.action.kind, a.outcome]).at(-1)).toEqual(['reattach', 'done'])
      expect(await attached(fleet)).toBe(12)
      await using connection = await connect(fleet)
      expect(await scalar(connection, 'select count(*)::int from events')).toBe(120)
      expect(await scalar(connection, 'select count(*)::int from shardwright.partition_job')).toBe(0)
    }
  })
})

describe('archive before drop', () => {
  it('counts the rows of a partition that is partitioned itself', async () => {
    const fleet = await server.fleet(`${old.replace(', primary key (id, at)', '')}
      create table events_2019 partition of events for values from ('2019-01-01') to ('2020-01-01') partition by hash (id);
      create table events_2019_a partition of events_2019 for values with (modulus 2, remainder 0);
      create table events_2019_b partition of events_2019 for values with (modulus 2, remainder 1);
      insert into events select g, '2019-05-05' from generate_series(1, 40) g`)
    let lines = 0
    const archive: ArchiveFunction = async ({ rows }) => {
      for await (const chunk of rows) lines += Buffer.from(chunk).toString().split('\n').length - 1
      return { rows: lines }
    }
    const policy = define({ retention: { keep: '12 months', then: { archive }, maxDropsPerRun: 1 } })
    expect((await maintain(fleet, [policy])).exitCode).toBe(0)
    expect(lines).toBe(40)
  })

  it('writes files that restore, with counts', async () => {
    const fleet = await server.fleet(old)
    const directory = await mkdtemp(join(tmpdir(), 'shardwright-archive-'))
    folders.push(directory)
    const policy = define({ retention: { keep: '12 months', then: { archive: { directory } } } })
    expect((await maintain(fleet, [policy])).exitCode).toBe(0)
    expect(await tablesOf(fleet)).toBe(0)
    const files = await readdir(directory)
    expect(files).toHaveLength(24)
    const manifest = JSON.parse(await readFile(join(directory, 's1.public.events_2020_03.json'), 'utf8'))
    expect(manifest).toMatchObject({
      rows: '10',
      from: '2020-03-01T00:00:00Z',
      to: '2020-04-01T00:00:00Z',
      columns: ['id', 'at', 'note'],
    })
    const text = gunzipSync(await readFile(join(directory, 's1.public.events_2020_03.copy.gz'))).toString()
    expect(text.split('\n')[0]).toBe('1\t2020-03-01 01:00:00+00\tline\\nbreak\\t\\\\')
    expect(text.trimEnd().split('\n')).toHaveLength(10)
  })

  it('a large partition arrives whole, whatever the sizes of the chunks', async () => {
    const fleet = await server.fleet(`${old} insert into events select g, '2020-05-05', repeat('wide row ', g % 300)
      from generate_series(100, 30099) g`)
    const directory = await mkdtemp(join(tmpdir(), 'shardwright-archive-'))
    folders.push(directory)
    const policy = define({ retention: { keep: '12 months', then: { archive: { directory } } } })
    expect((await maintain(fleet, [policy])).exitCode).toBe(0)
    const text = gunzipSync(await readFile(join(directory, 's1.public.events_2020_05.copy.gz'))).toString()
    const ids = text
      .trimEnd()
      .split('\n')
      .map((line) => Number(line.split('\t')[0]))
    expect(ids).toHaveLength(30_010)
    expect(new Set(ids.filter((id) => id >= 100)).size).toBe(30_000)
  })

  it('moves the table to another schema', async () => {
    const fleet = await server.fleet(old)
    const policy = define({ retention: { keep: '12 months', then: { archive: { schema: 'archive' } } } })
    expect((await maintain(fleet, [policy])).exitCode).toBe(0)
    await using connection = await connect(fleet)
    expect(await scalar(connection, 'select count(*)::int from archive.events_2020_07')).toBe(10)
    expect((await maintain(fleet, [policy])).tables[0]?.outcome).toBe('nothing-to-do')
  })

  it.each<[string, ArchiveFunction, string]>([
    ['fails', async () => Promise.reject(new Error('upload refused')), 'PARTITION_ARCHIVE_FAILED'],
    ['counts other rows', async () => ({ rows: 9 }), 'PARTITION_ARCHIVE_MISMATCH'],
    [
      'stops reading half-way',
      async ({ rows }) => {
        for await (const _ of rows) break
        return { rows: 3 }
      },
      'PARTITION_ARCHIVE_MISMATCH',
    ],
  ])('case 9: an archive that %s leaves the partition in place', async (_, archive, code) => {
    const fleet = await server.fleet(old)
    const report = await maintain(fleet, [
      define({ retention: { keep: '12 months', then: { archive }, maxDropsPerRun: 2 } }),
    ])
    expect(report.exitCode).toBe(1)
    expect(report.tables[0]?.actions.filter((a) => a.outcome === 'failed').map((a) => a.failure?.code)).toEqual([
      code,
      code,
    ])
    expect(await attached(fleet)).toBe(12)
    // And the next run, with a sink that works, does it.
    let lines = 0
    const counting: ArchiveFunction = async (source) => {
      let rows = 0
      for await (const chunk of source.rows) rows += Buffer.from(chunk).toString().split('\n').length - 1
      lines += rows
      return { rows }
    }
    const next = await maintain(fleet, [define({ retention: { keep: '12 months', then: { archive: counting } } })])
    expect(next.exitCode).toBe(0)
    expect(lines).toBe(120)
    expect(await tablesOf(fleet)).toBe(0)
  })

  it('a row written after the archive puts the partition back, and the next run archives it too', async () => {
    const fleet = await server.fleet(old)
    const stored: number[] = []
    let disturb = true
    const archive: ArchiveFunction = async (source) => {
      let rows = 0
      for await (const chunk of source.rows) rows += Buffer.from(chunk).toString().split('\n').length - 1
      if (disturb) {
        disturb = false
        await using connection = await connect(fleet)
        await connection.script("insert into events values (99, '2020-01-20')")
      }
      stored.push(rows)
      return { rows }
    }
    const policy = define({ retention: { keep: '12 months', then: { archive }, maxDropsPerRun: 1 } })
    const report = await maintain(fleet, [policy])
    expect(report.tables[0]?.actions.find((a) => a.failure)?.failure?.code).toBe('PARTITION_ARCHIVE_MISMATCH')
    expect(await attached(fleet)).toBe(12)
    expect((await maintain(fleet, [policy])).exitCode).toBe(0)
    expect(stored).toEqual([10, 11])
    expect(await attached(fleet)).toBe(11)
  })

  it('an archive is never written over by that of a later partition of the same name', async () => {
    const fleet = await server.fleet(old)
    const directory = await mkdtemp(join(tmpdir(), 'shardwright-archive-'))
    folders.push(directory)
    const policy = define({ retention: { keep: '12 months', then: { archive: { directory } } } })
    expect((await maintain(fleet, [policy])).exitCode).toBe(0)
    await using connection = await connect(fleet)
    await connection.script(`create table events_2020_03 partition of events for values from ('2020-03-01') to ('2020-04-01');
      insert into events values (77, '2020-03-02', 'late')`)
    expect((await maintain(fleet, [policy])).exitCode).toBe(0)
    const files = (await readdir(directory)).filter((name) => /events_2020_03.*copy\.gz$/.test(name))
    const lines = await Promise.all(
      files.map(
        async (name) =>
          gunzipSync(await readFile(join(directory, name)))
            .toString()
            .trimEnd()
            .split('\n').length,
      ),
    )
    expect(lines.sort((a, b) => a - b)).toEqual([1, 10])
  })

  it('a name that is taken in the schema of the archive leaves the partition in place', async () => {
    const fleet = await server.fleet(`${old} create schema archive; create table archive.events_2020_02 ()`)
    const policy = define({
      retention: { keep: '12 months', then: { archive: { schema: 'archive' } }, maxDropsPerRun: 2 },
    })
    const report = await maintain(fleet, [policy])
    expect(report.tables[0]?.actions.map((a) => a.failure?.code)).toEqual([undefined, 'PARTITION_NAME_TAKEN'])
    expect(await attached(fleet)).toBe(11)
  })

  it('an owner without the right to create schemas can archive into one that is there', async () => {
    const [url = ''] = await server.databases()
    const admin = fleetOfUrls([url])
    await using connection = await connect(admin)
    await connection.script(`drop role if exists partition_clerk; create role partition_clerk login password 'clerk';
      grant create on schema public to partition_clerk;
      create schema shardwright authorization partition_clerk; create schema archive authorization partition_clerk`)
    const fleet = fleetOfUrls([Object.assign(new URL(url), { username: 'partition_clerk', password: 'clerk' }).href])
    await using clerk = await connect(fleet)
    await clerk.script(old)
    const policy = define({ retention: { keep: '12 months', then: { archive: { schema: 'archive' } } } })
    expect((await maintain(fleet, [policy])).exitCode).toBe(0)
    await connection.script('drop owned by partition_clerk; drop role partition_clerk')
  })

  it('a directory that cannot be written leaves the partition in place', async () => {
    const fleet = await server.fleet(old)
    const directory = await mkdtemp(join(tmpdir(), 'shardwright-archive-'))
    folders.push(directory)
    await writeFile(join(directory, 'file'), '')
    const policy = define({
      retention: { keep: '12 months', then: { archive: { directory: join(directory, 'file') } }, maxDropsPerRun: 1 },
    })
    expect((await maintain(fleet, [policy])).tables[0]?.actions.at(-1)?.failure?.code).toBe('PARTITION_ARCHIVE_FAILED')
    expect(await attached(fleet)).toBe(12)
  })
})

async function until(condition: () => Promise<boolean | null>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20))
}
