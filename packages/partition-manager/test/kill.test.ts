import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { FleetConnection } from '@shardwright/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect, fleetOfUrls, partitionsOf, scalar, useServer } from './support/database.ts'
import { KilledRuns } from './support/run-killed.ts'
import { doWork, type WorkName } from './support/work.ts'

const server = useServer({ max_connections: 60 })
let runs: KilledRuns
beforeAll(async () => {
  runs = await KilledRuns.start()
})
afterAll(() => runs[Symbol.asyncDispose]())

const partitioned = `
  set timezone to 'UTC';
  create table events (id bigint not null, at timestamptz not null, note text, primary key (id, at)) partition by range (at);
  do $$ begin
    execute format('create table events_now partition of events for values from (%L) to (%L)',
      date_trunc('month', now()), date_trunc('month', now()) + interval '1 month');
  end $$;`
const twoOldOnes = `
  create table events_2020_01 partition of events for values from ('2020-01-01') to ('2020-02-01');
  create table events_2020_02 partition of events for values from ('2020-02-01') to ('2020-03-01');
  insert into events select g, timestamptz '2020-01-01' + g * interval '1 hour', 'n' || g from generate_series(1, 1400) g;
  insert into events select g, now(), 'now' from generate_series(10001, 10010) g;`
const oneOldOne = `
  create table events_2020_01 partition of events for values from ('2020-01-01') to ('2020-03-01');
  insert into events select g, timestamptz '2020-01-01' + g * interval '1 hour', 'n' || g from generate_series(1, 1400) g;
  insert into events select g, now(), 'now' from generate_series(10001, 10010) g;`

const someNow = `insert into events select g, now(), 'now' from generate_series(10001, 10010) g;`

const setups: Record<WorkName, string> = {
  create: partitioned + someNow,
  attach: `${partitioned} ${someNow} create table events_old (like events);
    insert into events_old select g, timestamptz '2020-01-02' + g * interval '1 hour', 'n' || g from generate_series(1, 100) g`,
  'archive-to-schema': partitioned + oneOldOne,
  'take-back': partitioned + oneOldOne,
  finalize: partitioned + oneOldOne,
  // As a build that was cancelled leaves it.
  'mend-index': `${partitioned} ${someNow} create index events_note on only events (note);
    create index events_now_events_note_sw on events_now (note);
    update pg_index set indisvalid = false where indexrelid = 'events_now_events_note_sw'::regclass`,
  drop: partitioned + twoOldOnes,
  'drop-with-default': `${partitioned} create table events_default partition of events default; ${oneOldOne}`,
  archive: partitioned + oneOldOne,
  repair: `${partitioned} create table events_default partition of events default;
    insert into events select g, timestamptz '2026-03-01' + g * interval '1 hour', 'n' || g from generate_series(1, 1000) g`,
  convert: `set timezone to 'UTC';
    create table events (id bigint not null, at timestamptz not null, note text, primary key (id, at));
    insert into events select g, now() - g * interval '20 minutes', 'n' || g from generate_series(1, 2000) g`,
}

/** What a former run has left, where the work begins with that. */
async function prepare(name: WorkName, url: string): Promise<void> {
  if (name === 'take-back') {
    const stop = ({ step }: { step: string }) => {
      if (step === 'dispose') throw new Error('stop here')
    }
    await expect(doWork('drop', { url, directory: '', onProgress: stop })).rejects.toThrow('stop here')
  }
  if (name === 'finalize') await cutDetach(url)
}

/** A concurrent detach whose session ends between its two phases. */
async function cutDetach(url: string): Promise<void> {
  const fleet = fleetOfUrls([url])
  await using reader = await connect(fleet)
  await reader.script('begin; select count(*) from events')
  await using detacher = await connect(fleet)
  const pid = await scalar<number>(detacher, 'select pg_backend_pid()')
  const cut = detacher.script('alter table events detach partition events_2020_01 concurrently').catch(() => undefined)
  await using watcher = await connect(fleet)
  while (!(await scalar<boolean>(watcher, 'select coalesce(bool_or(inhdetachpending), false) from pg_inherits'))) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  await watcher.query('select pg_terminate_backend($1)', [pid])
  await cut
  await reader.script('commit')
}

/** Between the kill and the second run the service goes on writing. */
const writesBetween = `
  update events set note = 'changed' where id % 100 = 1;
  delete from events where id = 2;
  insert into events values (5000, now(), 'new')`

interface Scene {
  readonly connection: FleetConnection
  readonly directory: string
}

/** What holds at every moment, also right after the kill. */
async function always(name: WorkName, { connection, directory }: Scene): Promise<void> {
  if (name === 'repair') expect(await scalar(connection, 'select count(*)::int from events')).toBe(1000)
  else if (name === 'convert') expect(await scalar(connection, 'select count(*)::int from events')).toBe(2000)
  else expect(await scalar(connection, 'select count(*)::int from events_now')).toBe(10)
  if (name === 'attach') expect(await scalar(connection, 'select count(*)::int from events_old')).toBe(100)
  if (name === 'archive-to-schema') {
    const here = await scalar<boolean>(connection, "select to_regclass('events_2020_01') is not null")
    expect(await scalar(connection, `select count(*)::int from ${here ? '' : 'archive.'}events_2020_01`)).toBe(1400)
  }
  if (name !== 'archive') return
  // Each old row is in a table, or in a finished archive.
  const there = await scalar<boolean>(connection, "select to_regclass('events_2020_01') is not null")
  if (!there) expect(await archivedRows(directory, 'events_2020_01')).toBe(1400)
}

/** What holds after the second run. */
async function atTheEnd(name: WorkName, { connection, directory }: Scene): Promise<void> {
  if (name === 'repair') await repaired(connection)
  else if (name === 'create' || name === 'mend-index') await created(connection)
  else if (name === 'take-back') {
    expect(await scalar(connection, 'select count(*)::int from events')).toBe(1410)
    expect(await scalar(connection, 'select count(*)::int from shardwright.partition_job')).toBe(0)
  } else if (name === 'finalize') {
    expect(await scalar(connection, 'select count(*)::int from events')).toBe(10)
    expect(await scalar(connection, 'select count(*)::int from events_2020_01')).toBe(1400)
    expect(await scalar(connection, "select relispartition from pg_class where relname = 'events_2020_01'")).toBe(false)
  } else if (name === 'attach') {
    expect(await scalar(connection, 'select count(*)::int from events')).toBe(110)
    expect(
      await scalar(connection, "select count(*)::int from pg_constraint where conname = 'shardwright_attach'"),
    ).toBe(0)
  } else if (name === 'archive-to-schema') {
    expect(await scalar(connection, 'select count(*)::int from events')).toBe(10)
    expect(await scalar(connection, 'select count(*)::int from archive.events_2020_01')).toBe(1400)
    expect(await scalar(connection, 'select count(*)::int from shardwright.partition_job')).toBe(0)
  } else if (name === 'convert') await converted(connection)
  else {
    expect(await scalar(connection, 'select count(*)::int from events')).toBe(10)
    expect(await scalar(connection, "select count(*)::int from pg_class where relname like 'events_2020%'")).toBe(0)
  }
  if (name === 'archive') expect(await archivedRows(directory, 'events_2020_01')).toBe(1400)
  if (name === 'drop' || name === 'drop-with-default' || name === 'archive' || name === 'repair') {
    expect(await scalar(connection, 'select count(*)::int from shardwright.partition_job')).toBe(0)
  }
}

async function created(connection: FleetConnection): Promise<void> {
  expect(await scalar(connection, 'select count(*)::int from events')).toBe(10)
  expect(await partitionsOf(connection, 'events')).toHaveLength(3)
  // Of the parent and its three partitions: whole, attached, and no leftover beside them.
  const tree =
    "select count(*)::int from pg_partition_tree('events_note') t join pg_index x on x.indexrelid = t.relid where x.indisvalid"
  expect(await scalar(connection, tree)).toBe(4)
  expect(
    await scalar(
      connection,
      "select count(*)::int from pg_index where indrelid in (select relid from pg_partition_tree('events'))",
    ),
  ).toBe(8)
}

async function repaired(connection: FleetConnection): Promise<void> {
  const md5 = "select md5(string_agg(e::text, ',' order by id)) from"
  const expected = `${md5} (select g::bigint as id, timestamptz '2026-03-01' + g * interval '1 hour' as at, 'n' || g as note
    from generate_series(1, 1000) g) e`
  expect(await scalar(connection, 'select count(*)::int from events_default')).toBe(0)
  expect(await scalar(connection, `${md5} events e`)).toBe(await scalar(connection, expected))
  expect((await partitionsOf(connection, 'events')).map(([partition]) => partition)).toContain('events_p2026_04')
}

async function converted(connection: FleetConnection): Promise<void> {
  const figures = `select concat_ws(' ', count(*), count(distinct id), count(*) filter (where note = 'changed'),
    count(*) filter (where id = 2), count(*) filter (where id = 5000), count(*) filter (where note = 'n' || id)) from events`
  expect(await scalar(connection, figures)).toBe('2000 2000 20 0 1 1979')
  expect(await scalar(connection, "select relkind::text from pg_class where oid = 'events'::regclass")).toBe('p')
  expect(await scalar(connection, 'select count(*)::int from shardwright.partition_conversion')).toBe(0)
  expect(
    await scalar(connection, "select count(*)::int from pg_class where relname like 'convert@_log%' escape '@'"),
  ).toBe(0)
}

async function archivedRows(directory: string, partition: string): Promise<number> {
  if (!(await readdir(directory)).includes(`s1.public.${partition}.copy.gz`)) return 0
  const text = gunzipSync(await readFile(join(directory, `s1.public.${partition}.copy.gz`))).toString()
  return text.split('\n').length - 1
}

describe('killed (SIGKILL) at any step, then run again: nothing lost, nothing twice', () => {
  it.each<[WorkName, 'before' | 'during']>([
    ['create', 'before'],
    ['attach', 'before'],
    ['archive-to-schema', 'before'],
    ['take-back', 'before'],
    ['finalize', 'before'],
    ['mend-index', 'before'],
    ['drop', 'before'],
    ['drop-with-default', 'during'],
    ['archive', 'before'],
    ['repair', 'before'],
    ['convert', 'before'],
    ['convert', 'during'],
  ])(
    '%s, killed %s each step',
    async (name, moment) => {
      let killedRuns = 0
      for (let killAt = 1; ; killAt++) {
        const [url] = (await server.databases()) as [string]
        const directory = await mkdtemp(join(tmpdir(), 'shardwright-kill-'))
        await using connection = await connect(fleetOfUrls([url]))
        await connection.script(setups[name])
        await prepare(name, url)
        const code = await runs.run({ name, url, directory, killAt, moment })
        await always(name, { connection, directory })
        if (name === 'convert') await connection.script(writesBetween)
        await doWork(name, { url, directory, onProgress: () => {} })
        await atTheEnd(name, { connection, directory })
        await rm(directory, { recursive: true })
        if (code === 7) break
        expect(code === null || (moment === 'during' && code === 0)).toBe(true)
        if (code === null) killedRuns++
      }
      expect(killedRuns).toBeGreaterThanOrEqual(name === 'take-back' || name === 'finalize' ? 1 : 3)
    },
    240_000,
  )
})
