// biome-ignore-all lint/suspicious/noThenProperty: the policy's own word; never a function.
import type { FleetShard } from '@shardwright/core'
import { expect, it } from 'vitest'
import { applyPlan, attachPartition, definePartitions, inspectPartitions, planPartitions } from '../src/index.ts'
import { connect, partitionsOf, scalar, useServer } from './support/database.ts'

interface Database {
  events: { id: number; at: Date; note: string }
}

const server = useServer({ max_connections: 60 })
const policy = definePartitions<Database>()({
  table: 'events',
  by: 'at',
  every: 'month',
  premake: 1,
  fillGaps: false,
  retention: { keep: '12 months', then: 'drop' },
  indexes: [{ name: 'events_note', columns: ['note'] }],
})

const setup = `
  set timezone to 'UTC';
  create table other (id int primary key);
  create table events (id int not null, at timestamptz not null, note text, primary key (id, at)) partition by range (at);
  create table events_2020_01 partition of events for values from ('2020-01-01') to ('2020-02-01');
  create table events_2020_02 partition of events for values from ('2020-02-01') to ('2020-03-01');
  do $$ begin execute format('create table events_now partition of events for values from (%L) to (%L)',
    date_trunc('month', now()), date_trunc('month', now()) + interval '1 month'); end $$;
  create table loose (like events including all);
  insert into events select g, timestamptz '2020-01-05' + g * interval '1 day', 'n' from generate_series(1, 40) g;
  create table refers (id int, at timestamptz);`

it.each([
  [
    'a partition attached',
    `alter table events attach partition loose for values from ('2019-01-01') to ('2020-01-01')`,
  ],
  ['a partition detached', 'alter table events detach partition events_2020_02'],
  ['a partition dropped', 'drop table events_2020_02'],
  ['a partition renamed', 'alter table events_2020_02 rename to february'],
  ['a partition moved to another schema', 'create schema old; alter table events_2020_02 set schema old'],
  [
    'a partition replaced by another of its name and range',
    `drop table events_2020_02; create table events_2020_02 partition of events for values from ('2020-02-01') to ('2020-03-01')`,
  ],
  ['a DEFAULT partition', 'create table events_default partition of events default'],
  ['an index', 'create index events_id on events (id)'],
  ['the very index of the policy', 'create index events_note on events (note)'],
  ['a column', 'alter table events add column more int'],
  ['the type of a column', 'alter table events alter column note type varchar(90)'],
  ['a default', `alter table events alter column note set default 'x'`],
  ['a constraint', 'alter table events add check (id > 0)'],
  ['a foreign key of another table', 'alter table refers add foreign key (id, at) references events (id, at)'],
  [
    'a foreign key to another table',
    'insert into other select generate_series(1, 40); alter table events add foreign key (id) references other (id)',
  ],
  ['the owner', 'create role stale_owner; alter table events owner to stale_owner'],
  [
    'the name of a partition to come',
    `do $$ begin execute format('create table %I (a int)', to_char(now() at time zone 'UTC' + interval '1 month', '"events_p"YYYY_MM')); end $$`,
  ],
])('a plan is refused when this has changed since: %s', async (_, change) => {
  const fleet = await server.fleet(setup)
  const shard = fleet.shards[0] as FleetShard
  await using connection = await connect(fleet)
  const plan = planPartitions(await inspectPartitions(connection, policy), policy)
  expect(plan.actions.map(({ kind }) => kind)).toEqual(['create', 'create-index', 'retire', 'retire'])
  await connection.script(`set search_path = public; ${change}`)
  const before = await partitionsOf(connection, 'events')
  await expect(applyPlan(shard, plan)).rejects.toMatchObject({ code: 'PARTITION_PLAN_STALE' })
  expect(await partitionsOf(connection, 'events')).toEqual(before)
})

it('rows that come to DEFAULT between plan and apply stop the one creation that they are in the way of', async () => {
  const fleet = await server.fleet(`${setup} create table events_default partition of events default`)
  const shard = fleet.shards[0] as FleetShard
  await using connection = await connect(fleet)
  const plan = planPartitions(await inspectPartitions(connection, policy), policy)
  await connection.script(
    `set search_path = public; insert into events values (1000, now() + interval '1 month', 'late')`,
  )
  const outcomes = await applyPlan(shard, plan)
  expect(outcomes.map(({ action, outcome }) => [action.kind, outcome])).toEqual([
    ['create', 'failed'],
    ['create-index', 'done'],
    ['retire', 'done'],
    ['retire', 'done'],
  ])
  expect(outcomes[0]?.failure?.code).toBe('PARTITION_DEFAULT_ROWS')
  expect(await scalar(connection, 'select count(*)::int from public.events')).toBe(1)
})

it('writes alone make no plan stale', async () => {
  const fleet = await server.fleet(setup)
  await using connection = await connect(fleet)
  const plan = planPartitions(await inspectPartitions(connection, policy), policy)
  await connection.script(
    `set search_path = public; update events set note = 'm'; analyze events; create table elsewhere (a int)`,
  )
  const outcomes = await applyPlan(fleet.shards[0] as FleetShard, plan)
  expect(outcomes.map(({ outcome }) => outcome)).toEqual(['done', 'done', 'done', 'done'])
})

it('a table that is attached for another range, or under a cut detach, is not taken for attached', async () => {
  const fleet = await server.fleet(setup)
  const shard = fleet.shards[0] as FleetShard
  await attachPartition(shard, policy, { table: 'loose', from: '2019-01-01', to: '2020-01-01' })
  await attachPartition(shard, policy, { table: 'loose', from: '2019-01-01', to: '2020-01-01' })
  await expect(
    attachPartition(shard, policy, { table: 'loose', from: '2019-01-01', to: '2019-12-01' }),
  ).rejects.toMatchObject({ code: 'PARTITION_ACTION_FAILED', message: expect.stringContaining('is attached for') })
  await using connection = await connect(fleet)
  expect(await scalar(connection, `select count(*)::int from pg_constraint where conname = 'shardwright_attach'`)).toBe(
    0,
  )
})
