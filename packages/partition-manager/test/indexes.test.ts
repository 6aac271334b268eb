import { describe, expect, it } from 'vitest'
import { definePartitions, maintain } from '../src/index.ts'
import { connect, scalar, useServer } from './support/database.ts'

interface Database {
  events: { id: number; at: Date; 'Odd "name"': string }
}

const server = useServer({ max_connections: 60 })
const define = definePartitions<Database>()
const table = `create table events (id int, at timestamptz not null, "Odd ""name""" text) partition by range (at);`

describe('indexes', () => {
  it('are built on each partition concurrently and attached, until the parent index is valid', async () => {
    const fleet = await server.fleet(`${table} create table events_default partition of events default`)
    await maintain(fleet, [define({ table: 'events', by: 'at', every: 'month' })])
    const policy = define({
      table: 'events',
      by: 'at',
      every: 'month',
      indexes: [{ name: 'events "odd" idx', columns: ['Odd "name"', 'at'], include: ['id'], where: 'id > 0' }],
    })
    const steps: string[] = []
    const report = await maintain(fleet, [policy], { onProgress: ({ step }) => steps.push(step) })
    expect(report.tables[0]?.actions.map((a) => [a.action.kind, a.outcome, a.failure])).toEqual([
      ['create-index', 'done', undefined],
    ])
    expect(steps.filter((step) => step === 'build-index')).toHaveLength(5)
    await using connection = await connect(fleet)
    expect(
      await scalar(
        connection,
        'select bool_and(indisvalid) from pg_index where indrelid in (select inhrelid from pg_inherits)',
      ),
    ).toBe(true)
    expect(
      await scalar(connection, `select indisvalid from pg_index where indexrelid = '"events ""odd"" idx"'::regclass`),
    ).toBe(true)
    expect((await maintain(fleet, [policy])).tables[0]?.outcome).toBe('nothing-to-do')
  })

  it('case 28: an invalid leftover is removed before the retry, what was built is kept', async () => {
    const fleet = await server.fleet(table)
    const plain = define({ table: 'events', by: 'at', every: 'month', premake: 1 })
    await maintain(fleet, [plain])
    await using connection = await connect(fleet)
    // Two equal rows make the unique build on the current partition fail and leave an INVALID index.
    await connection.script(
      'insert into events values (1, now()), (1, now()); update events set at = (select min(at) from events)',
    )
    const policy = define({
      table: 'events',
      by: 'at',
      every: 'month',
      premake: 1,
      indexes: [{ name: 'events_once', columns: ['id', 'at'], unique: true }],
    })
    const failed = await maintain(fleet, [policy])
    expect(failed.tables[0]?.actions[0]?.failure?.sqlState).toBe('23505')
    expect(
      await scalar(
        connection,
        'select count(*)::int from pg_index x join pg_inherits i on i.inhrelid = x.indrelid where not indisvalid',
      ),
    ).toBe(1)
    await connection.script('delete from events')
    const steps: string[] = []
    const report = await maintain(fleet, [policy], {
      onProgress: ({ step, partition }) => steps.push(`${step} ${partition}`),
    })
    expect(report.exitCode).toBe(0)
    expect(steps.filter((step) => step.startsWith('drop-invalid-index'))).toHaveLength(1)
    expect(await scalar(connection, "select indisvalid from pg_index where indexrelid = 'events_once'::regclass")).toBe(
      true,
    )
    expect((await maintain(fleet, [policy])).tables[0]?.outcome).toBe('nothing-to-do')
  })

  it('a forgotten transaction stops an index, not the run', async () => {
    const fleet = await server.fleet(table)
    await maintain(fleet, [define({ table: 'events', by: 'at', every: 'month', premake: 0 })])
    await using forgotten = await connect(fleet)
    await forgotten.script('begin; insert into events values (1, now())')
    const policy = define({
      table: 'events',
      by: 'at',
      every: 'month',
      premake: 2,
      indexes: [{ name: 'events_id', columns: ['id'] }],
    })
    // The index on the parent needs SHARE, which the open insert holds off.
    const options = { lockTimeoutMs: 50, lockAttempts: 2, backoffMs: 10, buildWaitMs: 200 }
    const first = await maintain(fleet, [policy], options)
    expect(first.tables[0]?.actions.map((a) => [a.action.kind, a.failure?.code])).toEqual([
      ['create', undefined],
      ['create', undefined],
      ['create-index', 'PARTITION_LOCK_TIMEOUT'],
    ])
    await forgotten.script('commit')
    await forgotten.script('begin; set transaction isolation level repeatable read; select count(*) from events')
    const second = await maintain(fleet, [policy], options)
    expect(second.tables[0]?.actions.at(-1)?.failure?.code).toBe('PARTITION_LOCK_TIMEOUT')
    await forgotten.script('commit')
    expect((await maintain(fleet, [policy])).exitCode).toBe(0)
    expect((await maintain(fleet, [policy])).tables[0]?.outcome).toBe('nothing-to-do')
  })

  it('statistics of the parent are taken when they are old', async () => {
    const fleet = await server.fleet(table)
    const policy = define({ table: 'events', by: 'at', every: 'month', analyzeEvery: '1 day' })
    expect((await maintain(fleet, [policy])).tables[0]?.actions.at(-1)).toMatchObject({
      action: { kind: 'analyze' },
      outcome: 'done',
    })
    await using connection = await connect(fleet)
    await connection.script('select pg_stat_force_next_flush()')
    expect((await maintain(fleet, [policy])).tables[0]?.outcome).toBe('nothing-to-do')
  })
})
