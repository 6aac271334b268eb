import type { FleetConnection } from '@shardwright/core'
import type { LocalCluster } from '@shardwright/local-cluster'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { lintSql } from '../src/index.ts'
import { connectTo, freshFleet, startServer } from './support/fleet.ts'

let cluster: LocalCluster
let work: FleetConnection
let watch: FleetConnection

beforeAll(async () => {
  cluster = await startServer()
  const fleet = await freshFleet(cluster, 1)
  work = await connectTo(fleet, 'shard-1')
  watch = await connectTo(fleet, 'shard-1')
  await work.script(`
    create table other (id int primary key);
    insert into other select generate_series(1, 10);
    create table t (id int primary key, a int, b text, c int);
    insert into t select g, g, g::text, 1 from generate_series(1, 10) g;
    create unique index t_a_ready on t (a);
    alter table t add constraint b_there check (b is not null) not valid;
    create materialized view mv as select * from other;
    create unique index on mv (id);
    create table parted (ts date not null) partition by range (ts);
    create table parted_1 partition of parted for values from ('2026-01-01') to ('2026-02-01');
    create table loose (ts date not null);
    insert into loose values ('2026-02-02');
    create domain amount as int;
    alter domain amount add constraint later check (value > -1) not valid;
    create table priced (id int primary key, price amount);
    insert into priced values (1, 1);
    create unique index t_c_id on t (c, id);
    create view v as select id, price from priced;
    create type pair as (a int, b int);`)
})
afterAll(async () => {
  await work?.release()
  await watch?.release()
  await cluster?.stop()
})

/** The strongest lock on the table while the statement's transaction is open, and whether the table was written anew. */
async function observe(statement: string, table: string): Promise<{ lock: string | undefined; rewrites: boolean }> {
  const { rows: named } = await work.query<{ oid: string }>('select $1::regclass::oid::text as oid', [table])
  const oid = named[0]?.oid
  const file = async () =>
    (await work.query<{ f: string }>('select pg_relation_filenode($1::oid) as f', [oid])).rows[0]?.f
  const before = await file()
  await work.query('begin')
  try {
    await work.script(statement)
    const { rows } = await watch.query<{ mode: string }>(
      `select l.mode from pg_locks l where l.relation = $1::oid and l.granted and l.pid <> pg_backend_pid()
       order by array_position(array['AccessShareLock','RowShareLock','RowExclusiveLock','ShareUpdateExclusiveLock',
         'ShareLock','ShareRowExclusiveLock','ExclusiveLock','AccessExclusiveLock'], l.mode) desc limit 1`,
      [oid],
    )
    return { lock: rows[0]?.mode, rewrites: (await file()) !== before }
  } finally {
    await work.query('rollback')
  }
}

describe('what a rule says of a lock is what pg_locks shows', () => {
  const cases: readonly (readonly [rule: string, statement: string, table: string])[] = [
    ['add-column', 'alter table t add column x uuid default gen_random_uuid()', 't'],
    ['add-column', 'alter table t add column x float8 default random() * 2', 't'],
    ['add-column', 'alter table t add column x bigserial', 't'],
    ['add-column', 'alter table t add column x int generated always as identity', 't'],
    ['add-column', 'alter table t add column x int generated always as (a + 1) stored', 't'],
    ['add-column', 'alter table t add column x int unique', 't'],
    ['add-column', 'alter table t add column x int default 1 check (x > 0)', 't'],
    ['set-not-null', 'alter table t alter column a set not null', 't'],
    ['index-without-concurrently', 'create index on t (a)', 't'],
    ['index-without-concurrently', 'create unique index on t (a, b)', 't'],
    ['index-without-concurrently', 'reindex table t', 't'],
    ['constraint-validated-at-once', 'alter table t add constraint f foreign key (a) references other (id)', 't'],
    ['constraint-validated-at-once', 'alter table t add constraint k check (a > 0)', 't'],
    ['constraint-validated-at-once', 'alter table t add constraint n not null a', 't'],
    ['constraint-validated-at-once', 'alter table t add constraint u unique (a)', 't'],
    [
      'constraint-validated-at-once',
      'alter table other drop constraint other_pkey, add constraint p primary key (id)',
      'other',
    ],
    ['constraint-validated-at-once', 'alter table t add constraint e exclude using btree (a with =)', 't'],
    ['table-rewrite', 'alter table t alter column a type bigint', 't'],
    ['table-rewrite', 'alter table t set unlogged', 't'],
    ['table-rewrite', 'cluster t using t_pkey', 't'],
    ['long-hold', 'refresh materialized view mv', 'mv'],
    ['long-hold', 'alter table parted detach partition parted_1', 'parted'],
    ['table-rewrite', 'cluster verbose t using t_pkey', 't'],
    ['index-without-concurrently', 'reindex index t_a_ready', 't_a_ready'],
    [
      'attach-partition',
      `alter table parted attach partition loose for values from ('2026-02-01') to ('2026-03-01')`,
      'loose',
    ],
    [
      'attach-partition',
      `create table parted_2 partition of parted for values from ('2026-03-01') to ('2026-04-01')`,
      'parted',
    ],
    ['constraint-validated-at-once', 'alter domain amount add constraint positive check (value > 0)', 'priced'],
    ['constraint-validated-at-once', 'alter domain amount set not null', 'priced'],
    ['constraint-validated-at-once', 'alter domain amount validate constraint later', 'priced'],
    ['constraint-validated-at-once', 'alter table priced add unique (price)', 'priced'],
    [
      'constraint-validated-at-once',
      'alter table t drop constraint t_pkey; alter table t add primary key (c, id)',
      't',
    ],
    [
      'constraint-validated-at-once',
      'alter table t add constraint k check (a > 0) not valid; alter table t validate constraint k',
      't',
    ],
    [
      'constraint-validated-at-once',
      'alter table t add constraint f foreign key (a) references other (id) not valid; alter table t validate constraint f',
      't',
    ],
    [
      'constraint-validated-at-once',
      'alter table t drop constraint t_pkey; alter table t add constraint p primary key using index t_c_id',
      't',
    ],
    ['breaks-running-code', 'alter table t rename column a to z', 't'],
    ['breaks-running-code', 'alter table t rename to z', 't'],
    ['breaks-running-code', 'alter view v rename to z', 'v'],
    ['breaks-running-code', 'alter view v rename column price to z', 'v'],
    ['breaks-running-code', 'alter type pair rename attribute a to z', 'pair'],
    ['breaks-running-code', 'alter table t drop column c', 't'],
    ['breaks-running-code', 'truncate priced', 'priced'],
  ]
  it.each(cases)('%s: %s', async (rule, statement, table) => {
    const finding = (await lintSql(statement)).find((candidate) => candidate.rule === rule)
    expect(finding, 'the rule finds it').toBeDefined()
    const seen = await observe(statement, table)
    expect({ lock: finding?.lock, rewrites: finding?.rewrites ?? false }).toEqual(seen)
  })

  it('VACUUM FULL, which no transaction may hold: it waits for every reader', async () => {
    const finding = (await lintSql('vacuum full t', { transaction: false })).find(
      ({ rule }) => rule === 'table-rewrite',
    )
    expect(finding).toMatchObject({ table: 'public.t', lock: 'AccessExclusiveLock', rewrites: true })
    expect(await lintSql('vacuum (full false) t; vacuum t', { transaction: false })).toEqual([])
    await watch.query('begin')
    await watch.query('select from t limit 1')
    await work.query(`set lock_timeout = '10s'`)
    const vacuum = work.query('vacuum full t')
    const waiting = async () =>
      (
        await watch.query<{ mode: string }>(
          `select mode from pg_locks where relation = 't'::regclass and not granted and pid <> pg_backend_pid()`,
        )
      ).rows[0]?.mode
    let mode = await waiting()
    while (mode === undefined) mode = await waiting()
    expect(mode).toBe(finding?.lock)
    await watch.query('rollback')
    await vacuum
    await work.query('reset lock_timeout')
  })

  it('NOT NULL without a default is refused by the server on a table with rows', async () => {
    expect((await lintSql('alter table t add column x int not null')).map((finding) => finding.rule)).toEqual([
      'add-column',
    ])
    await expect(observe('alter table t add column x int not null', 't')).rejects.toMatchObject({ code: '23502' })
  })
})

describe('what does not stand in plain sight', () => {
  it.each([
    [
      'add-column',
      'alter table if exists only "public"."t" add column x int, add column y uuid default gen_random_uuid()',
    ],
    ['add-column', 'alter table t add column x int default 1 references other (id)'],
    ['index-without-concurrently', 'do $$ begin if true then create index on t (a); end if; end $$'],
    ['index-without-concurrently', `do $$ begin execute 'create index on t (a)'; end $$`],
    ['unreadable', `do $$ begin execute format('create index on %I (a)', 't'); end $$`],
    ['constraint-validated-at-once', 'alter table t add constraint k check (a > 0) not valid, validate constraint k'],
    ['table-rewrite', 'alter table t alter column x set expression as (a + 1)'],
    ['breaks-running-code', 'truncate t cascade'],
    ['long-hold', 'lock table t'],
    ['table-rewrite', 'cluster'],
    ['table-rewrite', 'vacuum full'],
    ['breaks-running-code', 'alter schema app rename to other'],
    ['breaks-running-code', `alter type mood rename value 'sad' to 'blue'`],
    ['breaks-running-code', 'alter function twice(int) rename to double'],
    ['breaks-running-code', 'alter view v set schema app'],
    [
      'attach-partition',
      `alter table loose add constraint f foreign key (a) references other (id) not valid; alter table loose validate constraint f;
       alter table parted attach partition loose for values from ('2026-02-01') to ('2026-03-01')`,
    ],
  ])('%s: %s', async (rule, statement) => {
    expect((await lintSql(statement, { transaction: false })).map((finding) => finding.rule)).toContain(rule)
  })

  it.each(['reindex schema public', 'cluster', 'vacuum t', 'create index concurrently on t (a)'])(
    'PostgreSQL refuses inside a transaction: %s',
    async (statement) => {
      expect((await lintSql(statement)).map((finding) => finding.rule)).toContain('outside-transaction')
      await expect(observe(statement, 't')).rejects.toMatchObject({ code: '25001' })
    },
  )

  it('a CHECK with OR proves no column, and IF NOT EXISTS may have made no table', async () => {
    const either = `alter table t add constraint e check (a is not null or b is not null) not valid;
      alter table t validate constraint e; alter table t alter column a set not null`
    expect((await lintSql(either, { transaction: false })).map((finding) => finding.rule)).toEqual(['set-not-null'])
    const perhaps = await lintSql('create table if not exists t (a int); create index on t (a)')
    expect(perhaps.map((finding) => [finding.rule, finding.severity])).toEqual([
      ['index-without-concurrently', 'warning'],
    ])
  })
})

describe('the safe ways', () => {
  const brief = [
    'alter table t add column x int',
    'alter table t add column x int default 5 not null',
    'alter table t add column x timestamptz default now()',
    `alter table t add column x text default lower('A')`,
    'alter table t add column x int generated always as (a + 1)',
    'alter table t alter column c set default 7',
    'alter table t add constraint f foreign key (a) references other (id) not valid',
    'alter table t add constraint k check (a > 0) not valid',
    'alter table t add constraint u unique using index t_a_ready',
    'alter table t validate constraint b_there',
    'create table fresh (id int primary key); create index on fresh (id); alter table fresh alter column id type bigint',
  ]
  it.each(brief)('%s: no finding, and no table written anew', async (statement) => {
    expect(await lintSql(statement)).toEqual([])
    expect((await observe(statement, 't')).rewrites).toBe(false)
  })

  it('VALIDATE CONSTRAINT lets writers in; so do the CONCURRENTLY forms, outside a transaction', async () => {
    expect((await observe('alter table t validate constraint b_there', 't')).lock).toBe('ShareUpdateExclusiveLock')
    const concurrent = [
      'create index concurrently on t (c)',
      'reindex table concurrently t',
      'refresh materialized view concurrently mv',
    ]
    for (const statement of concurrent) {
      expect(await lintSql(statement, { transaction: false })).toEqual([])
      await work.query(statement)
    }
    expect((await lintSql(concurrent[0] as string)).map((finding) => finding.rule)).toEqual(['outside-transaction'])
  })

  it('ATTACH PARTITION after a validated CHECK reads nothing', async () => {
    const safe = [
      `alter table loose add constraint bounds check (ts is not null and ts >= '2026-02-01' and ts < '2026-03-01') not valid`,
      'alter table loose validate constraint bounds',
      `alter table parted attach partition loose for values from ('2026-02-01') to ('2026-03-01')`,
    ]
    expect(await lintSql(safe.join(';'), { transaction: false })).toEqual([])
    expect(
      await lintSql(
        `create table march (ts date); alter table parted attach partition march for values in ('2026-03-01')`,
      ),
    ).toEqual([])
    expect(
      await lintSql(
        `create table q (d date) partition by range (d); create table q_1 partition of q for values from ('2026-01-01') to ('2026-02-01')`,
      ),
    ).toEqual([])
    const like = `create table parted_3 (like parted); alter table parted attach partition parted_3 for values from ('2026-05-01') to ('2026-06-01')`
    expect(await lintSql(like)).toEqual([])
    expect((await observe(like, 'parted')).lock).toBe('ShareUpdateExclusiveLock')
    const notices: string[] = []
    const note = ({ message }: { message?: string }) => void notices.push(message ?? '')
    work.client.on('notice', note)
    await work.query('begin')
    for (const statement of safe.slice(0, 2)) await work.query(statement)
    await work.query('set local client_min_messages = debug1')
    await work.query(safe[2] as string)
    await work.query('rollback')
    expect(notices).toContain('partition constraint for table "loose" is implied by existing constraints')
  })

  it('a domain: NOT VALID holds nobody off, and its rows are proven table by table', async () => {
    const check = 'check (price > 0)'
    const safe = `alter domain amount add constraint positive check (value > 0) not valid; alter table priced add constraint p ${check} not valid;
      alter table priced validate constraint p`
    expect(await lintSql(safe, { transaction: false })).toEqual([])
    expect(await lintSql('create domain new_one as int; alter domain new_one add check (value > 0)')).toEqual([])
    expect((await observe('alter domain amount add constraint p check (value > 0) not valid', 'priced')).lock).toBe(
      undefined,
    )
  })

  it('a primary key from an index whose columns are known to have no NULL', async () => {
    const script = `alter table t add constraint c_there check (c is not null) not valid; alter table t validate constraint c_there;
      alter table t alter column c set not null; create unique index concurrently t_new on t (c);
      alter table t add constraint t_c primary key using index t_new`
    expect(await lintSql(script, { transaction: false })).toEqual([])
  })

  it('SET NOT NULL after its validated CHECK', async () => {
    const script = `alter table t add constraint b_there check (b is not null) not valid;
      alter table t validate constraint b_there; alter table t alter column b set not null`
    expect(await lintSql(script, { transaction: false })).toEqual([])
    // In one transaction the lock of the first statement is held while the second reads the table.
    expect((await lintSql(script)).map((finding) => finding.rule)).toEqual(['constraint-validated-at-once'])
    expect(
      (await lintSql('alter table t validate constraint positivething; alter table t alter column b set not null')).map(
        (finding) => finding.rule,
      ),
    ).toEqual(['set-not-null'])
  })
})
