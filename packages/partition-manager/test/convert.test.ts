import type { FleetShard } from '@shardwright/core'
import { describe, expect, it } from 'vitest'
import { abandonConvert, convertTable, definePartitions, maintain, planConvert } from '../src/index.ts'
import { connect, partitionsOf, scalar, useServer } from './support/database.ts'

interface Database {
  events: { id: number; at: Date }
}

const server = useServer({ max_connections: 60 })
const policy = definePartitions<Database>()({
  table: 'events',
  by: 'at',
  every: 'month',
  premake: 1,
  from: '2026-06-01',
})

/** Everything that must come along. */
const rich = `
  set timezone to 'UTC';
  do $$ begin create role sw_reader; exception when duplicate_object then null; end $$;
  create table stands (id int primary key); insert into stands values (1), (2);
  create sequence extra_seq;
  create table events (
    id bigint generated always as identity, at timestamptz not null, stand int not null references stands,
    "Odd ""name""" text default 'x', serial_no bigint not null default nextval('extra_seq'),
    amount numeric(10,2) check (amount >= 0), twice numeric generated always as (amount * 2) stored,
    primary key (id, at));
  alter sequence extra_seq owned by events.serial_no;
  comment on table events is 'what ''happened''';
  create index events_stand_idx on events (stand, at) where amount > 1;
  create unique index events_serial_idx on events (serial_no, at);
  create table refs (event_id bigint, at timestamptz, constraint refs_fk foreign key (event_id, at) references events on delete cascade);
  create table audit (id bigint);
  create function audit_it() returns trigger language plpgsql as $$ begin insert into public.audit values (coalesce(new.id, old.id)); return null; end $$;
  insert into events (at, stand, amount) select timestamptz '2026-07-01' + g * interval '1 hour', 1 + g % 2, g % 50 from generate_series(0, 2399) g;
  insert into refs select id, at from events where id <= 10;
  create trigger events_audit after update on events for each row execute function audit_it();
  grant select, insert on events to sw_reader; grant update (amount) on events to public;
  alter table events enable row level security;
  create policy events_rows on events for select to sw_reader using (exists (select from public.stands s where s.id = events.stand and s.id = 1));
  alter table events replica identity full;`

describe('convertTable', () => {
  it('case 10: brings everything along', async () => {
    const fleet = await server.fleet(rich)
    const shard = fleet.shards[0] as FleetShard
    await using connection = await connect(fleet)
    const before = await scalar(connection, "select md5(string_agg(e::text, ',' order by id)) from events e")
    const report = await convertTable(shard, policy, { batchRows: 500 })
    expect(report).toMatchObject({
      outcome: 'converted',
      verifiedRows: 2400n,
      copiedRows: 2400n,
      oldTable: 'events_sw_old',
    })
    expect(await scalar(connection, "select md5(string_agg(e::text, ',' order by id)) from events e")).toBe(before)
    expect(await scalar(connection, "select relkind::text from pg_class where oid = 'events'::regclass")).toBe('p')
    expect((await partitionsOf(connection, 'events')).length).toBeGreaterThanOrEqual(5)

    await connection.script('insert into events (at, stand, amount) values (now(), 1, 3)')
    expect(
      await scalar(connection, "select id || ' ' || serial_no || ' ' || twice from events order by id desc limit 1"),
    ).toBe('2401 2401 6.00')
    await connection.script('update events set amount = 4 where id = 2401')
    expect(await scalar(connection, "select string_agg(id::text, ',') from audit")).toBe('2401')
    await expect(
      connection.script('insert into events (at, stand, amount) values (now(), 9, 3)'),
    ).rejects.toMatchObject({ code: '23503' })
    await expect(
      connection.script('insert into events (at, stand, amount) values (now(), 1, -3)'),
    ).rejects.toMatchObject({ code: '23514' })
    await expect(connection.script('insert into refs values (999999, now())')).rejects.toMatchObject({ code: '23503' })
    await connection.script('delete from events where id = 5; delete from stands where false')
    expect(await scalar(connection, 'select count(*)::int from refs')).toBe(9)
    expect(await scalar(connection, "select convalidated from pg_constraint where conname = 'refs_fk'")).toBe(true)

    const names =
      "select string_agg(relname::text, ',' order by relname) from pg_class c join pg_index x on x.indexrelid = c.oid where x.indrelid = 'events'::regclass"
    expect(await scalar(connection, names)).toBe('events_pkey,events_serial_idx,events_stand_idx')
    expect(await scalar(connection, "select obj_description('events'::regclass)")).toBe("what 'happened'")
    expect(
      await scalar(
        connection,
        "select relrowsecurity::text || relreplident::text from pg_class where oid = 'events'::regclass",
      ),
    ).toBe('truef')
    expect(
      await scalar(
        connection,
        "select has_table_privilege('sw_reader', 'events', 'insert') and has_column_privilege('sw_reader', 'events', 'amount', 'update')",
      ),
    ).toBe(true)
    await connection.script('set role sw_reader')
    await connection.script('reset role; grant select on stands to sw_reader; set role sw_reader')
    expect(await scalar(connection, 'select count(*)::int from events')).toBe(1200)
    await connection.script('reset role; drop table events_sw_old')
    await connection.script('insert into events (at, stand, amount) values (now(), 1, 3)')
    expect(
      await scalar(
        connection,
        "select count(*)::int from pg_class where relname like 'convert_%' or relname like '%_sw_%'",
      ),
    ).toBe(0)

    // From here on it is an ordinary set, and a second call has nothing to do.
    expect((await maintain(fleet, [policy])).tables[0]?.outcome).toBe('done')
    expect((await maintain(fleet, [policy])).tables[0]?.outcome).toBe('nothing-to-do')
    expect((await convertTable(shard, policy)).outcome).toBe('already')
  })

  it('goes on while writers insert, update, move and delete: nothing is lost, nothing doubled', async () => {
    const fleet =
      await server.fleet(`create table events (id bigint not null, at timestamptz not null, n int not null default 0, primary key (id, at));
      insert into events select g, timestamptz '2026-07-01 00:00+00' + g * interval '5 minutes' from generate_series(1, 20000) g;
      create table ledger (id bigint primary key, n int not null, gone boolean not null default false);
      insert into ledger select g, 0 from generate_series(1, 20000) g`)
    const shard = fleet.shards[0] as FleetShard
    let running = true
    let writes = 0
    const worker = async (seed: number) => {
      await using connection = await connect(fleet)
      let next = 100_000 * seed
      for (let i = seed; running; i = (i * 7919 + 13) % 19_997) {
        const id = 1 + i
        // Each change goes to the ledger in the same transaction: at the end both must agree row for row.
        await connection.query('begin')
        const kind = writes % 5
        if (kind === 0) {
          next++
          await connection.query("insert into events values ($1, '2026-09-15', 7)", [next])
          await connection.query('insert into ledger values ($1, 7)', [next])
        } else if (kind === 1) {
          const { rowCount } = await connection.query('delete from events where id = $1', [id])
          await connection.query('update ledger set gone = true where id = $1 and not gone', [id])
          if (rowCount !== 0 && rowCount !== 1) throw new Error(`${rowCount} rows of ${id}`)
        } else if (kind === 2) {
          await connection.query("update events set at = at + interval '40 days', n = n + 1 where id = $1", [id])
          await connection.query('update ledger set n = n + 1 where id = $1 and not gone', [id])
        } else {
          await connection.query('update events set n = n + 1 where id = $1', [id])
          await connection.query('update ledger set n = n + 1 where id = $1 and not gone', [id])
        }
        await connection.query('commit')
        writes++
      }
    }
    const workers = [worker(1), worker(2)]
    const report = await convertTable(shard, policy, { batchRows: 1000, lockAttempts: 100 })
    const atSwap = writes
    await until(async () => writes > atSwap + 50)
    running = false
    await Promise.all(workers)
    expect(report.outcome).toBe('converted')
    expect(atSwap).toBeGreaterThan(20)
    await using connection = await connect(fleet)
    const different = `select count(*)::int from (select id, n from events) e full join (select id, n from ledger where not gone) l using (id) where e.n is distinct from l.n`
    expect(await scalar(connection, different)).toBe(0)
    expect(await scalar(connection, 'select (count(*) - count(distinct id))::int from events')).toBe(0)
  })

  it('refuses in the plan, with the columns named', async () => {
    const fleet = await server.fleet(`
      create table events (id bigint primary key, at timestamptz, code text unique, parent bigint references events);
      create view seen as select id from events; create materialized view mat as select count(*) from events;
      create table refs (id bigint references events)`)
    const shard = fleet.shards[0] as FleetShard
    await using connection = await connect(fleet)
    const plan = await planConvert(connection, policy)
    const all = plan.refusals.join('\n')
    expect(all).toContain('at can be null')
    expect(all).toContain('primary key events_pkey (id) lacks the partition key at')
    expect(all).toContain('unique index events_code_key (code) lacks the partition key at')
    expect(all).toContain('view public.seen depends on it')
    expect(all).toContain('materialized view public.mat depends on it')
    expect(all).toContain('references the table itself')
    await expect(convertTable(shard, policy)).rejects.toMatchObject({ code: 'CONVERT_REFUSED' })
    expect(await scalar(connection, "select count(*)::int from pg_class where relname like '%_sw_%'")).toBe(0)
  })

  it('can be planned, stopped and abandoned', async () => {
    const fleet = await server.fleet(rich)
    const shard = fleet.shards[0] as FleetShard
    await using connection = await connect(fleet)
    await connection.script('create table events_p2026_08 (a int)')
    const taken = 'the name public.events_p2026_08 is taken'
    expect((await planConvert(connection, policy)).refusals).toEqual([taken])
    await expect(convertTable(shard, policy)).rejects.toThrow(taken)
    await connection.script('drop table public.events_p2026_08')
    const plan = await planConvert(connection, policy)
    expect(plan.refusals).toEqual([])
    expect(plan.sql.join('\n')).toContain('partition by range ("at")')
    const controller = new AbortController()
    const stopped = convertTable(shard, policy, {
      batchRows: 500,
      signal: controller.signal,
      onProgress: ({ step, rows }) => {
        if (step === 'copy-batch' && rows === 1000n) controller.abort()
      },
    })
    await expect(stopped).rejects.toMatchObject({ code: 'PARTITION_ABORTED' })
    await expect(connection.script('truncate public.events cascade')).rejects.toThrow('TRUNCATE waits')
    await abandonConvert(shard, policy)
    await expect(abandonConvert(shard, policy)).rejects.toMatchObject({ code: 'CONVERT_NOT_FOUND' })
    await connection.script('set search_path to public')
    expect(await scalar(connection, 'select count(*)::int from events')).toBe(2400)
    expect(await scalar(connection, "select count(*)::int from pg_trigger where tgname like 'shardwright%'")).toBe(0)
  })
})

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20))
}
