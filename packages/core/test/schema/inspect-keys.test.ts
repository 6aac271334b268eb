import {
  createFleet,
  defineSchema,
  type Fleet,
  inspectKeys,
  inspectKeysOfFleet,
  keyTypes,
  reference,
  type ShardKey,
  sharded,
} from '@shardwright/core'
import { startLocalCluster } from '@shardwright/local-cluster'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

interface Database {
  wallets: { festival_id: ShardKey<string> }
  'app.tickets': { festival: ShardKey<string> }
  festivals: { id: string }
}
const schema = defineSchema<Database>()({
  tables: {
    wallets: sharded('festival_id'),
    'app.tickets': sharded('festival', { family: 'festival_id' }),
    festivals: reference(),
  },
})

describe('inspectKeys on a server', () => {
  let cluster: Awaited<ReturnType<typeof startLocalCluster>>
  let fleet: Fleet

  beforeAll(async () => {
    cluster = await startLocalCluster({ shards: 2, databasePerShard: true })
    fleet = createFleet({ shards: cluster.shards.map(({ id, url }) => ({ id, url })), Client: pg.Client })
    await onAll(`create schema app;
      create collation ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
      create domain key_text as text;
      create domain key_number as numeric;`)
  })
  afterAll(async () => {
    await cluster?.stop()
  })
  beforeEach(() => onAll('drop table if exists wallets, app.tickets'))

  async function onAll(sql: string): Promise<void> {
    for (const shard of fleet.shards) {
      await using connection = await shard.connect()
      await connection.script(sql)
    }
  }
  const create = (wallets: string, tickets: string) =>
    onAll(`create table wallets (festival_id ${wallets}); create table app.tickets (festival ${tickets})`)

  it.each(keyTypes)('accepts %s', async (type) => {
    await create(`${type} not null`, `${type} primary key`)
    const keys = await inspectKeysOfFleet(fleet, schema)
    expect([...keys.byTable]).toEqual([
      ['wallets', type],
      ['app.tickets', type],
    ])
    expect([...keys.byFamily]).toEqual([['festival_id', type]])
  })

  it('takes the widest type of those that hash alike, and the base of a domain', async () => {
    await create('int4 not null', 'int8 not null')
    expect((await inspectKeysOfFleet(fleet, schema)).byFamily.get('festival_id')).toBe('int8')
    await onAll('drop table wallets, app.tickets')
    await create('varchar(20) not null', 'key_text not null')
    expect((await inspectKeysOfFleet(fleet, schema)).byFamily.get('festival_id')).toBe('text')
  })

  it.each([
    ['text', 'text not null', 'KEY_COLUMN_NULLABLE'],
    ['numeric not null', 'text not null', 'KEY_TYPE_UNSUPPORTED'],
    ['float8 not null', 'text not null', 'KEY_TYPE_UNSUPPORTED'],
    ['char(8) not null', 'text not null', 'KEY_TYPE_UNSUPPORTED'],
    ['jsonb not null', 'text not null', 'KEY_TYPE_UNSUPPORTED'],
    ['text[] not null', 'text not null', 'KEY_TYPE_UNSUPPORTED'],
    ['key_number not null', 'text not null', 'KEY_TYPE_UNSUPPORTED'],
    ['text collate ci not null', 'text not null', 'KEY_COLLATION_NONDETERMINISTIC'],
    ['int8 not null', 'text not null', 'KEY_TYPES_DIFFER'],
    ['uuid not null', 'text not null', 'KEY_TYPES_DIFFER'],
  ])('refuses %s beside %s: %s', async (wallets, tickets, code) => {
    await create(wallets, tickets)
    await expect(inspectKeysOfFleet(fleet, schema)).rejects.toMatchObject({ name: 'SchemaError', code })
  })

  it('refuses citext', async () => {
    await onAll('create extension if not exists citext')
    await create('citext not null', 'text not null')
    await expect(inspectKeysOfFleet(fleet, schema)).rejects.toMatchObject({ code: 'KEY_TYPE_UNSUPPORTED' })
  })

  it('refuses a text key in a database that is not UTF-8, and no other key', async () => {
    await using admin = await fleet.shards[0]!.connect()
    await admin.script("create database latin encoding 'LATIN1' lc_collate 'C' lc_ctype 'C' template template0")
    const url = new URL(cluster.shards[0]!.url)
    url.pathname = '/latin'
    const latin = createFleet({ shards: [{ id: 'latin', url: url.href }], Client: pg.Client })
    await using connection = await latin.shards[0]!.connect()
    await connection.script(
      'create schema app; create table wallets (festival_id text not null); create table app.tickets (festival text not null)',
    )
    await expect(inspectKeys(connection, schema)).rejects.toMatchObject({ code: 'KEY_ENCODING_UNSUPPORTED' })
    await connection.script(
      'drop table wallets, app.tickets; create table wallets (festival_id uuid not null); create table app.tickets (festival uuid not null)',
    )
    expect((await inspectKeys(connection, schema)).byFamily.get('festival_id')).toBe('uuid')
  })

  it('names a table and a column that are not there', async () => {
    await onAll('create table wallets (id text not null); create table app.tickets (festival text not null)')
    await expect(inspectKeysOfFleet(fleet, schema)).rejects.toThrow(/no column 'festival_id' of table public\.wallets/)
    await onAll('drop table wallets')
    await expect(inspectKeysOfFleet(fleet, schema)).rejects.toMatchObject({ code: 'KEY_COLUMN_NOT_FOUND' })
  })

  it('sees that shards disagree', async () => {
    for (const [index, shard] of fleet.shards.entries()) {
      await using connection = await shard.connect()
      const type = index === 0 ? 'int4' : 'int8'
      await connection.script(
        `create table wallets (festival_id ${type} not null); create table app.tickets (festival int8 not null)`,
      )
      await inspectKeys(connection, schema)
    }
    await expect(inspectKeysOfFleet(fleet, schema)).rejects.toThrow(/int4 on shard .* int8 on shard/)
  })
})
