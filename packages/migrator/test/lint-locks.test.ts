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
    create table parted_1 partition of parted for values from ('2026-01-01') to ('2026-02-01');`)
})
afterAll(async () => {
  await work?.release()
  await watch?.release()
  await cluster?.stop()
})

/** The strongest lock on the table while the statement's transaction is open, and whether the table was written anew. */
async function observe(statement: string, table: string): Promise<{ lock: string | undefined; rewrites: boolean }> {
  const file = async () => (await work.query<{ f: string }>('select pg_relation_filenode($1) as f', [table])).rows[0]?.f
  const before = await file()
  await work.query('begin')
  try {
    await work.query(statement)
    const { rows } = await watch.query<{ mode: string }>(
      `select l.mode from pg_locks l where l.relation = $1::regclass and l.granted and l.pid <> pg_backend_pid()
       order by array_position(array['AccessShareLock','RowShareLock','RowExclusiveLock','ShareUpdateExclusiveLock',
         'ShareLock','ShareRowExclusiveLock','ExclusiveLock','AccessExclusiveLock'], l.mode) desc limit 1`,
      [table],
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
  ]
  it.each(cases)('%s: %s', async (rule, statement, table) => {
    const finding = (await lintSql(statement)).find((candidate) => candidate.rule === rule)
    expect(finding, 'the rule finds it').toBeDefined()
    const seen = await observe(statement, table)
    expect({ lock: finding?.lock, rewrites: finding?.rewrites ?? false }).toEqual(seen)
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
  ])('%s: %s', async (rule, statement) => {
    expect((await lintSql(statement, { transaction: false })).map((finding) => finding.rule)).toContain(rule)
  })

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

  it('SET NOT NULL after its validated CHECK', async () => {
    const script = `alter table t add constraint b_there check (b is not null) not valid;
      alter table t validate constraint b_there; alter table t alter column b set not null`
    expect(await lintSql(script, { transaction: false })).toEqual([])
    // In one transaction the lock of the first statement is held while the second reads the table.
    expect((await lintSql(script)).map((finding) => finding.rule)).toEqual(['constraint-validated-at-once'])
    expect(
      (await lintSql('alter table t validate constraint something; alter table t alter column b set not null')).map(
        (finding) => finding.rule,
      ),
    ).toEqual(['set-not-null'])
  })
})
