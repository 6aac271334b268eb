// biome-ignore-all lint/suspicious/noThenProperty: the policy's own word; never a function.
import type { Fleet } from '@shardwright/core'
import { describe, expect, it } from 'vitest'
import { definePartitions, inspectPartitions, maintain } from '../src/index.ts'
import { connect, partitionsOf, scalar, useServer } from './support/database.ts'

interface Database {
  events: { id: number; at: Date }
}
type Options = Parameters<ReturnType<typeof definePartitions<Database>>>[0]

const server = useServer({ max_connections: 60 })
const define = (change: Partial<Options> = {}) =>
  definePartitions<Database>()({ table: 'events', by: 'at', every: 'month', premake: 1, fillGaps: false, ...change })

/** 3000 rows over 1 May to 30 July 2026 and one far off, all in DEFAULT, with triggers that must stay silent. */
const setup = `
  set timezone to 'UTC';
  create table events (id bigint generated always as identity, at timestamptz not null, note text,
    doubled bigint generated always as (length(note) * 2) stored, primary key (id, at)) partition by range (at);
  create table events_default partition of events default;
  create table audit (what text);
  create function log_it() returns trigger language plpgsql as $$ begin insert into public.audit values (tg_op); return null; end $$;
  insert into events (at, note) select timestamptz '2026-05-01' + g * interval '43 minutes', 'n' || g from generate_series(0, 2999) g;
  insert into events (at, note) values ('1999-01-01', 'old');
  create trigger events_audit after insert or delete or update on events for each row execute function log_it();
  alter table events_default disable trigger events_audit;
  alter table events_default enable always trigger events_audit;`

async function content(fleet: Fleet): Promise<string> {
  await using connection = await connect(fleet)
  return await scalar(connection, "select count(*) || ' ' || md5(string_agg(e::text, ',' order by id)) from events e")
}

describe('rows in DEFAULT', () => {
  it('case 3: are reported with count, min and max; the other ranges are created all the same', async () => {
    const fleet = await server.fleet(setup)
    const table = (await maintain(fleet, [define({ from: '2026-04-01' })])).tables[0]
    expect(table?.outcome).toBe('failed')
    expect(table?.problems.map((p) => [p.code, p.severity])).toContainEqual(['PARTITION_DEFAULT_ROWS', 'error'])
    const may = table?.problems.find((p) => p.message.includes('[2026-05-01T00:00:00Z'))
    expect(may?.message).toMatch(
      /^1039 rows of .*DEFAULT holds 3001 rows, .*1999-01-01T00:00:00Z, 2026-07-29T13:17:00Z/,
    )
    expect(table?.problems.at(-1)?.message).toContain('1 of 3001 rows in DEFAULT partition events_default lie outside')
    await using connection = await connect(fleet)
    const names = (await partitionsOf(connection, 'events')).map(([name]) => name)
    expect(names).toContain('events_p2026_04')
    expect(names).not.toContain('events_p2026_05')
    expect(names).not.toContain('events_p1999_01')
  })

  it('outside the retention they are only named', async () => {
    const fleet = await server.fleet(setup)
    const policy = define({ retention: { keep: '20 years', then: 'detach' }, defaultRows: 'repair' })
    const table = (await maintain(fleet, [policy])).tables[0]
    expect(table?.outcome).toBe('done')
    expect(table?.problems.map((p) => p.code)).toEqual(['PARTITION_DEFAULT_OUTSIDE'])
    expect(table?.figures?.defaultRows).toBe(1)
  })

  it('are moved in batches; every row is visible exactly once at every moment, and no trigger fires', async () => {
    const fleet = await server.fleet(setup)
    const before = await content(fleet)
    const policy = define({
      retention: { keep: '20 years', then: 'detach' },
      defaultRows: 'repair',
      repairBatchRows: 300,
    })
    const watched = watch(fleet)
    const steps: string[] = []
    const table = (
      await maintain(fleet, [policy], { onProgress: (event) => steps.push(event.step), lockAttempts: 100 })
    ).tables[0]
    const counts = await watched.stop()
    expect(table?.actions.filter((a) => a.outcome !== 'done')).toEqual([])
    expect(steps.filter((step) => step === 'repair-commit').length).toBeGreaterThanOrEqual(10)
    expect(counts.length).toBeGreaterThan(1)
    expect(new Set(counts)).toEqual(new Set([3001]))
    expect(await content(fleet)).toBe(before)
    await using connection = await connect(fleet)
    expect(await scalar(connection, 'select count(*)::int from events_default')).toBe(1)
    expect(await scalar(connection, 'select count(*)::int from audit')).toBe(0)
    expect(
      await scalar(connection, "select tgenabled::text from pg_trigger where tgrelid = 'events_default'::regclass"),
    ).toBe('A')
    expect(await scalar(connection, 'select count(*)::int from shardwright.partition_job')).toBe(0)
    const may = (await partitionsOf(connection, 'events')).find(([name]) => name === 'events_p2026_05')
    expect(may?.[1]).toBe("FOR VALUES FROM ('2026-05-01 00:00:00+00') TO ('2026-06-01 00:00:00+00')")
    await connection.script("insert into events (at, note) values ('2026-05-02', 'x')")
    expect((await maintain(fleet, [policy])).tables[0]?.actions).toEqual([])
  })

  it('writers go on while they move: no update is lost, no row doubled', async () => {
    const fleet = await server.fleet(setup.split('create trigger')[0] as string)
    const policy = define({
      retention: { keep: '20 years', then: 'detach' },
      defaultRows: 'repair',
      repairBatchRows: 200,
    })
    await using writer = await connect(fleet)
    let running = true
    let updates = 0
    const writing = (async () => {
      for (let id = 1; running; id = (id % 3000) + 1) {
        const { rowCount } = await writer.query('update events set note = note || $1 where id = $2', ['+', id])
        if (rowCount !== 1) throw new Error(`an update of ${id} found ${rowCount} rows`)
        updates++
      }
    })()
    const report = await maintain(fleet, [policy], { lockAttempts: 100 })
    running = false
    await writing
    expect(report.exitCode).toBe(0)
    expect(updates).toBeGreaterThan(0)
    expect(await scalar(writer, "select sum(length(note) - length(rtrim(note, '+')))::int from events")).toBe(updates)
    expect(await scalar(writer, 'select count(*)::int from events')).toBe(3001)
  })

  it('at infinity do not hide those of older times', async () => {
    const fleet = await server.fleet(
      `${setup} insert into events (at, note) values ('-infinity', 'never'), ('infinity', 'ever')`,
    )
    expect((await maintain(fleet, [define({ defaultRows: 'repair' })])).exitCode).toBe(0)
    await using connection = await connect(fleet)
    expect(await scalar(connection, 'select string_agg(note, $$ $$ order by at) from events_default')).toBe(
      'never ever',
    )
  })

  it('without fillGaps old rows get partitions of their own, and the periods between get none', async () => {
    const fleet = await server.fleet(setup)
    const policy = define({ defaultRows: 'repair', fillGaps: false })
    const report = await maintain(fleet, [policy])
    expect(report.tables[0]).toMatchObject({ outcome: 'done', figures: { defaultRows: 0 } })
    await using connection = await connect(fleet)
    const names = (await partitionsOf(connection, 'events')).map(([name]) => name)
    expect(names).toContain('events_p1999_01')
    expect(names).not.toContain('events_p1999_02')
    expect((await maintain(fleet, [policy])).tables[0]?.actions).toEqual([])
  })

  it('are left alone where foreign keys reference the table', async () => {
    const fleet = await server.fleet(`${setup} create table refs (id bigint, at timestamptz,
      foreign key (id, at) references events (id, at) on delete cascade); insert into refs select id, at from events`)
    const table = (
      await maintain(fleet, [define({ retention: { keep: '20 years', then: 'detach' }, defaultRows: 'repair' })])
    ).tables[0]
    expect(new Set(table?.actions.map((a) => a.failure?.code))).toEqual(
      new Set([undefined, 'PARTITION_REPAIR_REFERENCED']),
    )
    await using connection = await connect(fleet)
    expect(await scalar(connection, 'select count(*)::int from refs')).toBe(3001)
  })

  it('null keys are counted and never moved', async () => {
    const fleet = await server.fleet(`create table events (id int, at timestamptz) partition by range (at);
      create table events_default partition of events default; insert into events values (1, null), (2, now())`)
    const report = await maintain(fleet, [define({ defaultRows: 'repair' })])
    expect(report.tables[0]?.problems.map((p) => p.code)).toEqual(['PARTITION_DEFAULT_OUTSIDE'])
    await using connection = await connect(fleet)
    const state = await inspectPartitions(connection, define())
    expect(state.defaultPartition).toMatchObject({ rows: 1n, nullKeys: 1n, outside: 1n })
  })
})

function watch(fleet: Fleet): { stop(): Promise<number[]> } {
  let running = true
  const counts: number[] = []
  const done = (async () => {
    await using connection = await connect(fleet)
    while (running) counts.push(await scalar<number>(connection, 'select count(*)::int from events'))
  })()
  return {
    stop: async () => {
      running = false
      await done
      return counts
    },
  }
}
