import { defineSchema, reference, type ShardKey, sharded, single } from '@shardwright/core'
import { describe, expect, it } from 'vitest'
import { lintSql } from '../src/index.ts'

interface Database {
  wallets: { festival_id: ShardKey<string>; id: string }
  entries: { festival_id: ShardKey<string>; id: string; wallet_id: string }
  accounts: { id: ShardKey<string> }
  festivals: { id: string }
  settings: { name: string }
}

const schema = defineSchema<Database>()({
  tables: {
    wallets: sharded('festival_id'),
    entries: sharded('festival_id'),
    accounts: sharded('id', { family: 'user_id' }),
    festivals: reference(),
    settings: single('shard-1'),
  },
})

const rulesOf = async (statement: string) =>
  (await lintSql(statement, { schema, transaction: false })).map((finding) => finding.rule)

describe('sharding mistakes', () => {
  it.each([
    ['unique-without-key', 'create unique index concurrently on wallets (id)'],
    ['unique-without-key', 'create unique index concurrently on wallets (lower(festival_id))'],
    ['unique-without-key', 'create unique index concurrently on public.wallets (id)'],
    ['unique-without-key', 'create table wallets (festival_id text, id uuid primary key)'],
    ['unique-without-key', 'create table wallets (festival_id text, id uuid unique, primary key (festival_id, id))'],
    ['sharded-table-shape', 'create table wallets (festival_id text, id uuid)'],
    ['sharded-table-shape', 'create table wallets (festival text, id uuid, primary key (festival_id, id))'],
    ['sharded-table-shape', 'create table wallets (festival_id text, id bigserial, primary key (festival_id, id))'],
    ['sharded-table-shape', 'create table unknown_table (id int)'],
    ['foreign-key-across-families', 'alter table wallets add foreign key (id) references accounts (id) not valid'],
    [
      'foreign-key-across-families',
      'alter table entries add foreign key (wallet_id) references wallets (id) not valid',
    ],
    [
      'foreign-key-across-families',
      'alter table entries add foreign key (festival_id, wallet_id) references wallets (id, festival_id) not valid',
    ],
    ['foreign-key-across-families', 'alter table festivals add foreign key (id) references wallets (id) not valid'],
    ['foreign-key-across-families', 'alter table wallets add foreign key (id) references settings (name) not valid'],
    [
      'foreign-key-across-families',
      'create table entries (festival_id text, id uuid, wallet_id uuid references wallets (id), primary key (festival_id, id))',
    ],
    ['key-altered', 'alter table wallets rename column festival_id to event_id'],
    ['key-altered', 'alter table wallets drop column festival_id'],
    ['key-altered', 'alter table wallets alter column festival_id type uuid using festival_id::uuid'],
    ['key-altered', `update wallets set festival_id = 'x' where id = '1'`],
    ['reference-rows-differ', 'insert into festivals values (gen_random_uuid())'],
    ['reference-rows-differ', 'insert into festivals select now()'],
    ['reference-rows-differ', `copy festivals from '/srv/festivals.csv'`],
    ['reference-rows-differ', `copy festivals (id) from program 'curl example.com'`],
    ['rows-on-every-shard', `copy wallets from '/srv/wallets.csv'`],
    ['rows-on-every-shard', `insert into wallets values ('f', '1')`],
    ['rows-on-every-shard', `with made as (insert into wallets values ('f', '1') returning id) select * from made`],
    ['sharded-table-shape', 'create table wallets as select * from entries'],
    ['sharded-table-shape', 'select * into public.wallets from entries'],
    ['sharded-table-shape', 'create table festivals as select festival_id as id from wallets'],
    ['sharded-table-shape', 'create table copied as select * from wallets'],
    ['reference-rows-differ', 'update festivals set id = current_timestamp'],
    [
      'reference-rows-differ',
      'with r as (insert into festivals select gen_random_uuid() returning id) select id from r',
    ],
    ['key-altered', `with moved as (update wallets set festival_id = 'x' returning 1) select * from moved`],
    [
      'key-altered',
      `insert into wallets values ('a', '1') on conflict (festival_id, id) do update set festival_id = 'b'`,
    ],
    ['key-altered', 'merge into wallets w using news n on w.id = n.id when matched then update set festival_id = n.f'],
    ['key-altered', `do $$ begin update wallets set festival_id = 'x'; end $$`],
    ['unique-without-key', `do $do$ begin execute 'create unique index on wallets (id)'; end $do$`],
    [
      'unique-without-key',
      'create table wallets (festival_id text, id uuid, primary key (festival_id, id), exclude (id with =))',
    ],
    ['unique-without-key', 'create table if not exists wallets (festival_id text, id uuid primary key)'],
  ])('%s: %s', async (rule, statement) => {
    expect(await rulesOf(statement)).toContain(rule)
  })

  it.each([
    'create unique index concurrently on wallets (festival_id, id)',
    'create unique index concurrently on festivals (id)',
    'create table wallets (festival_id text, id uuid, primary key (festival_id, id), foreign key (festival_id) references festivals (id))',
    'create table entries (festival_id text, id uuid, wallet_id uuid, primary key (id, festival_id), foreign key (wallet_id, festival_id) references wallets (id, festival_id))',
    'create table entries (festival_id text, id uuid, wallet_id uuid, primary key (festival_id, id), foreign key (festival_id, wallet_id) references wallets)',
    'create table festivals (id text primary key)',
    `update wallets set id = 'x' where festival_id = '1'`,
    `insert into festivals values ('a'), ('b')`,
    'alter table settings add foreign key (name) references festivals (id) not valid',
    `insert into wallets select gen_random_uuid()`,
    'create table wallets as select * from entries with no data; alter table wallets add primary key (festival_id, id)',
    'create temp table scratch as select * from wallets',
    'create materialized view totals as select * from wallets',
    `copy wallets to '/tmp/x'`,
    `copy (select * from festivals) to '/tmp/x'`,
  ])('nothing to say of: %s', async (statement) => {
    expect(await rulesOf(statement)).toEqual([])
  })

  it('a rule that the migration allows is silent, and what cannot be read is said', async () => {
    expect(await lintSql('create index on wallets (id)', { allow: ['index-without-concurrently'] })).toEqual([])
    expect(await rulesOf('create blob x')).toEqual(['unreadable'])
  })
})
