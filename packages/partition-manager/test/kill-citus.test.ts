import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { FleetConnection } from '@shardwright/core'
import { type CitusCluster, citusAvailability, citusFromEnvironment } from '@shardwright/local-cluster'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect, fleetOfUrls, scalar } from './support/database.ts'
import { KilledRuns } from './support/run-killed.ts'
import { doWork, type WorkName } from './support/work.ts'

const { available } = await citusAvailability()

const table = [
  'create table events (id bigint not null, at timestamptz not null, note text, primary key (id, at)) partition by range (at)',
  "select create_distributed_table('events', 'id', colocate_with => 'none', shard_count => 2)",
  `do $$ begin execute format('create table events_now partition of events for values from (%L) to (%L)',
     date_trunc('month', now()), date_trunc('month', now()) + interval '1 month'); end $$`,
  "insert into events select g, now(), 'now' from generate_series(10001, 10010) g",
]
const oldOne = [
  "create table events_2020_01 partition of events for values from ('2020-01-01') to ('2020-03-01')",
  "insert into events select g, timestamptz '2020-01-01' + g * interval '1 hour', 'n' || g from generate_series(1, 1400) g",
]
const defaultRows = [
  'create table events_default partition of events default',
  "insert into events select g, timestamptz '2026-03-01' + g * interval '1 hour', 'n' || g from generate_series(1, 700) g",
]
const setups: Partial<Record<WorkName, readonly string[]>> = {
  create: table,
  drop: [...table, ...oldOne],
  archive: [...table, ...oldOne],
  'archive-to-schema': [...table, ...oldOne],
  repair: [...table, ...defaultRows],
}

describe.skipIf(!available)(
  'on Citus: killed (SIGKILL) at any step, then run again: nothing lost, nothing twice',
  () => {
    let citus: CitusCluster
    let url: string
    let runs: KilledRuns

    beforeAll(async () => {
      citus = await citusFromEnvironment()
      url = (await citus.createDatabase()).url
      runs = await KilledRuns.start()
    }, 120_000)
    afterAll(async () => {
      await runs?.[Symbol.asyncDispose]()
      await citus?.stop()
    }, 60_000)

    it.each<WorkName>(['create', 'drop', 'archive', 'archive-to-schema', 'repair'])(
      '%s',
      async (name) => {
        let killedRuns = 0
        for (let killAt = 1; ; killAt++) {
          await using connection = await connect(fleetOfUrls([url]))
          const directory = await mkdtemp(join(tmpdir(), 'shardwright-kill-'))
          for (const statement of [
            "set timezone to 'UTC'",
            'drop table if exists events, events_2020_01, archive.events_2020_01',
            ...setups[name]!,
          ]) {
            await connection.query(statement)
          }
          const code = await runs.run({ name, url, directory, killAt, moment: 'before' })
          await always(name, connection, directory)
          await doWork(name, { url, directory, onProgress: () => {} })
          await atTheEnd(name, connection, directory)
          await rm(directory, { recursive: true })
          if (code === 7) break
          expect(code).toBeNull()
          killedRuns++
        }
        expect(killedRuns).toBeGreaterThan(2)
      },
      300_000,
    )

    /** Also right after the kill. */
    async function always(name: WorkName, connection: FleetConnection, directory: string): Promise<void> {
      expect(await scalar(connection, 'select count(*)::int from events where id > 10000')).toBe(10)
      if (name === 'repair') expect(await scalar(connection, 'select count(*)::int from events')).toBe(710)
      if (name !== 'archive') return
      const there = await scalar<boolean>(connection, "select to_regclass('events_2020_01') is not null")
      if (!there) expect(await archivedRows(directory)).toBe(1400)
    }

    async function atTheEnd(name: WorkName, connection: FleetConnection, directory: string): Promise<void> {
      const partitions = "select count(*)::int from pg_inherits where inhparent = 'events'::regclass"
      if (name === 'create') expect(await scalar(connection, partitions)).toBe(3)
      else if (name === 'repair') {
        const figures = "select concat_ws(' ', count(*), count(distinct id), sum(id)) from events where id < 10000"
        expect(await scalar(connection, figures)).toBe('700 700 245350')
        expect(await scalar(connection, 'select count(*)::int from events_default')).toBe(0)
      } else if (name === 'archive-to-schema') {
        expect(await scalar(connection, 'select count(*)::int from events')).toBe(10)
        expect(await scalar(connection, 'select count(distinct id)::int from archive.events_2020_01')).toBe(1400)
      } else {
        expect(await scalar(connection, 'select count(*)::int from events')).toBe(10)
        expect(await scalar(connection, "select count(*)::int from pg_class where relname like 'events_2020%'")).toBe(0)
        expect(await leftShards(connection)).toEqual([])
      }
      if (name === 'archive') expect(await archivedRows(directory)).toBe(1400)
      if (name !== 'create')
        expect(await scalar(connection, 'select count(*)::int from shardwright.partition_job')).toBe(0)
    }

    /** On every node. */
    async function leftShards(connection: FleetConnection): Promise<unknown[]> {
      const { rows } = await connection.query(
        `select result from run_command_on_all_nodes($$ select count(*) from pg_class where relname like 'events_2020%' $$)
       where result <> '0'`,
      )
      return rows
    }

    async function archivedRows(directory: string): Promise<number> {
      const name = 's1.public.events_2020_01.copy.gz'
      if (!(await readdir(directory)).includes(name)) return 0
      const text = gunzipSync(await readFile(join(directory, name))).toString()
      return text.split('\n').length - 1
    }
  },
)
