import { type Clock, systemClock } from '@shardwright/core'
import { describe, expect, it } from 'vitest'
import { definePartitions, maintain } from '../src/index.ts'
import { connect, scalar, useServer } from './support/database.ts'

interface Database {
  events: { id: number; at: Date }
}

const server = useServer({ max_connections: 60 })
const table =
  'create table events (id int not null, at timestamptz not null, primary key (id, at)) partition by range (at);'
const monthly = definePartitions<Database>()({ table: 'events', by: 'at', every: 'month', premake: 5 })
const transactions = `select count(distinct xmin::text)::int from pg_class
  where relispartition and relkind = 'r' and relname like 'events@_p%' escape '@'`

/** Sleeps not at all and remembers for how long it was asked to. */
function countingClock(): { readonly clock: Clock; readonly slept: number[] } {
  const slept: number[] = []
  return { slept, clock: { ...systemClock, sleep: async (delayMs) => void slept.push(delayMs) } }
}

describe('the pace of a run', () => {
  it('creates neighbours in one transaction, so that sessions plan their statements anew only once', async () => {
    const fleet = await server.fleet(table)
    const steps: string[] = []
    const report = await maintain(fleet, [monthly], {
      onProgress: ({ step, partition }) => steps.push(`${step} ${partition?.slice(0, 8)}`),
    })
    expect(report.tables[0]?.actions.map(({ outcome }) => outcome)).toEqual(Array(6).fill('done'))
    expect(steps).toEqual(Array(6).fill('create events_p'))
    await using connection = await connect(fleet)
    expect(await scalar(connection, transactions)).toBe(1)
  })

  it.each([
    ['a DEFAULT partition', `${table} create table events_default partition of events default`],
    [
      'a foreign key',
      `create table kinds (id int primary key); ${table} alter table events add foreign key (id) references kinds`,
    ],
  ])('creates one by one with %s, which ATTACH locks', async (_, sql) => {
    const fleet = await server.fleet(sql)
    expect((await maintain(fleet, [monthly])).exitCode).toBe(0)
    await using connection = await connect(fleet)
    expect(await scalar(connection, transactions)).toBe(6)
  })

  it('one of the neighbours that cannot be made leaves the others to be made', async () => {
    const fleet = await server.fleet(table)
    await using connection = await connect(fleet)
    await connection.script(`
      create function refuse() returns event_trigger language plpgsql as $$ begin
        if exists (select from pg_event_trigger_ddl_commands() d where d.object_identity like '%events_p%_06') then
          raise exception 'not in June'; end if; end $$;
      create event trigger refuse on ddl_command_end when tag in ('CREATE TABLE') execute function refuse()`)
    const year = definePartitions<Database>()({ table: 'events', by: 'at', every: 'month', premake: 11 })
    const report = await maintain(fleet, [year])
    const outcomes = report.tables[0]?.actions.map(({ outcome }) => outcome) ?? []
    expect(outcomes.filter((outcome) => outcome === 'done')).toHaveLength(11)
    expect(report.tables[0]?.actions.find(({ outcome }) => outcome === 'failed')?.failure?.message).toContain('June')
    await connection.script('drop event trigger refuse')
    expect((await maintain(fleet, [year])).tables[0]?.actions).toHaveLength(1)
  })

  it('rests between two changes while others are at work in the database, also over runs, and not otherwise', async () => {
    const fleet = await server.fleet(`${table} create table events_default partition of events default`)
    const ahead = (premake: number) =>
      definePartitions<Database>()({ table: 'events', by: 'at', every: 'month', premake })
    const sessions =
      'select count(*)::int from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()'
    // The preparing session has just left, or is leaving.
    await expect
      .poll(async () => {
        await using connection = await connect(fleet)
        return await scalar(connection, sessions)
      })
      .toBe(0)
    const quiet = countingClock()
    await maintain(fleet, [ahead(3)], { clock: quiet.clock })
    const busy = countingClock()
    await using connection = await connect(fleet)
    await connection.script('begin')
    await maintain(fleet, [ahead(5)], { clock: busy.clock, restMs: 60_000 })
    await maintain(fleet, [ahead(6)], { clock: busy.clock, restMs: 60_000 })
    const never = countingClock()
    await maintain(fleet, [ahead(8)], { clock: never.clock, restMs: 0 })
    expect(busy.slept).toHaveLength(3)
    for (const ms of busy.slept) expect(ms).toBeGreaterThan(10_000)
    expect(never.slept).toEqual([])
    // The poll's own last session may still be ending.
    expect(quiet.slept.length).toBeLessThan(3)
  })
})
