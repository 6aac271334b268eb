import type { FleetShard } from '@shardwright/core'
import { startLocalCluster } from '@shardwright/local-cluster'
import { describe, expect, it } from 'vitest'
import {
  applyPlan,
  attachPartition,
  definePartitions,
  inspectPartitions,
  maintain,
  planPartitions,
} from '../src/index.ts'
import { connect, fleetOfUrls, partitionsOf, scalar, useServer } from './support/database.ts'

interface Database {
  events: { id: number; at: Date }
}

const server = useServer({ max_connections: 60 })
const define = definePartitions<Database>()
const table =
  'create table events (id int not null, at timestamptz not null, primary key (id, at)) partition by range (at);'
const monthly = define({ table: 'events', by: 'at', every: 'month' })

describe('applyPlan', () => {
  it('applies a plan to the state it was made from, and refuses it when the catalog has changed', async () => {
    const fleet = await server.fleet(table)
    const shard = fleet.shards[0] as FleetShard
    await using connection = await shard.connect()
    const plan = planPartitions(await inspectPartitions(connection, monthly), monthly)
    expect((await applyPlan(shard, plan)).map((o) => o.outcome)).toEqual(['done', 'done', 'done', 'done'])
    await expect(applyPlan(shard, plan)).rejects.toMatchObject({ code: 'PARTITION_PLAN_STALE' })
  })

  it('is not for another shard, and not while another run has the table', async () => {
    const fleet = await server.fleet(table, 2)
    const [first, second] = fleet.shards as [FleetShard, FleetShard]
    await using connection = await first.connect()
    const plan = planPartitions(await inspectPartitions(connection, monthly), monthly)
    await expect(applyPlan(second, plan)).rejects.toMatchObject({ code: 'PARTITION_PLAN_STALE' })
    await connection.query("select pg_advisory_lock(hashtextextended('shardwright.partitions:public.events', 7))")
    await expect(applyPlan(first, plan, { parentLockWaitMs: 0 })).rejects.toMatchObject({ code: 'PARTITION_BUSY' })
    expect((await maintain(fleet, [monthly], { parentLockWaitMs: 0 })).tables.map((t) => t.outcome)).toEqual([
      'busy',
      'done',
    ])
  })

  it('stops between two steps when aborted, and goes on with the next run', async () => {
    const fleet = await server.fleet(table)
    const controller = new AbortController()
    let steps = 0
    const stopped = await maintain(fleet, [monthly], {
      signal: controller.signal,
      onProgress: () => {
        if (++steps === 2) controller.abort(new Error('deploy'))
      },
    })
    expect(stopped.exitCode).toBe(1)
    expect(stopped.tables[0]?.actions.map((a) => a.outcome)).toEqual(['done', 'done', 'not-reached', 'not-reached'])
    expect((await maintain(fleet, [monthly])).tables[0]?.actions).toHaveLength(2)
  })

  it('attaches a filled table without a scan under a lock, and refuses one with rows outside', async () => {
    const fleet = await server.fleet(`${table}
      create table legacy (id int not null, at timestamptz not null);
      insert into legacy select g, timestamptz '2024-01-01 00:00+00' + g * interval '1 hour' from generate_series(0, 99) g`)
    const shard = fleet.shards[0] as FleetShard
    const wrong = attachPartition(shard, monthly, { table: 'legacy', from: '2024-01-02', to: '2024-02-01' })
    await expect(wrong).rejects.toMatchObject({ code: 'PARTITION_ACTION_FAILED' })
    await attachPartition(shard, monthly, { table: 'legacy', from: '2024-01-01', to: '2024-02-01' })
    await attachPartition(shard, monthly, { table: 'legacy', from: '2024-01-01', to: '2024-02-01' })
    await using connection = await connect(fleet)
    expect((await partitionsOf(connection, 'events')).map(([name]) => name)).toEqual(['legacy'])
    expect(await scalar(connection, 'select count(*)::int from events')).toBe(100)
    expect(
      await scalar(connection, "select count(*)::int from pg_constraint where conname = 'shardwright_attach'"),
    ).toBe(0)
  })

  it('a partition is like its parent: constraints, defaults, identity, keys, triggers, owner', async () => {
    const fleet = await server.fleet(`
      create table stands (id int primary key); insert into stands values (1);
      create table events (id bigint generated always as identity, at timestamptz not null default now(), stand int references stands,
        amount numeric check (amount > 0), twice numeric generated always as (amount * 2) stored, primary key (id, at)) partition by range (at);
      alter table events replica identity full;
      create function stamp() returns trigger language plpgsql as $$ begin new.amount := new.amount + 1; return new; end $$;
      create trigger events_stamp before insert on events for each row execute function stamp();`)
    expect((await maintain(fleet, [monthly])).exitCode).toBe(0)
    await using connection = await connect(fleet)
    await connection.script('insert into events (stand, amount) values (1, 4)')
    expect(await scalar(connection, "select id || ' ' || amount || ' ' || twice from events")).toBe('1 5 10')
    await expect(connection.script('insert into events (stand, amount) values (2, 4)')).rejects.toMatchObject({
      code: '23503',
    })
    await expect(connection.script('insert into events (stand, amount) values (1, -4)')).rejects.toMatchObject({
      code: '23514',
    })
    expect(
      await scalar(
        connection,
        "select string_agg(distinct relreplident::text, '') from pg_class where oid in (select inhrelid from pg_inherits) and relkind = 'r'",
      ),
    ).toBe('f')
  })

  it('a standby is a no-op with a word', async () => {
    await using cluster = await startLocalCluster({ shards: 1, replicasPerShard: 1, startTimeoutMs: 120_000 })
    const shard = cluster.shards[0]
    const replica = shard?.replicas[0]
    if (!shard || !replica) throw new Error('no replica')
    await using primary = await connect(fleetOfUrls([shard.url]))
    await primary.script(table)
    await replica.caughtUp()
    const report = await maintain(fleetOfUrls([replica.url]), [monthly])
    expect(report.tables[0]).toMatchObject({ outcome: 'standby', actions: [] })
    expect(report.tables[0]?.problems[0]?.message).toContain('is a standby: nothing was done to public.events')
    expect(report.exitCode).toBe(0)
  })
})
