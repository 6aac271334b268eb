import { defineSchema, lookup, type ShardKey, sharded } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { createShardRouter, installLookups, verifyLookups } from '@shardwright/shard-router'
import { CamelCasePlugin } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'

interface Database {
  'shop.giftCards': {
    ownerId: ShardKey<string>
    boughtAt: Date
    cardNo: number | null
    token: string | null
    mail: string | null
    usedAt: Date | null
  }
}

const schema = defineSchema<Database>({ naming: 'snake_case' })({
  tables: { 'shop.giftCards': sharded('ownerId') },
  lookups: [
    lookup({ table: 'shop.giftCards', column: 'cardNo', to: 'ownerId', unique: true }),
    lookup({ table: 'shop.giftCards', column: 'token', to: 'ownerId', unique: true, name: 'cards_by_token' }),
    lookup({ table: 'shop.giftCards', column: 'mail', to: 'ownerId' }),
    lookup({ table: 'shop.giftCards', column: 'usedAt', to: 'ownerId' }),
  ],
})

let cluster: LocalCluster
const open = () =>
  createShardRouter({
    schema,
    topology: { hash: 'murmur3', ...cluster.topologyInput() },
    plugins: [new CamelCasePlugin()],
    recovery: false,
  })
let router: ReturnType<typeof open>

beforeAll(async () => {
  cluster = await startLocalCluster({ shards: 3, databasePerShard: true })
  for (const shard of cluster.fleet().shards) {
    await using connection = await shard.connect()
    await connection.script(`create schema shop; create domain shop.mail as varchar(80);
      create table shop.gift_cards (owner_id uuid not null, bought_at timestamptz not null, card_no bigint, token uuid, mail shop.mail,
        used_at timestamptz, primary key (owner_id, bought_at)) partition by range (bought_at);
      create table shop.gift_cards_old partition of shop.gift_cards for values from (minvalue) to ('2026-01-01');
      create table shop.gift_cards_new partition of shop.gift_cards for values from ('2026-01-01') to (maxvalue)`)
  }
  await installLookups({ fleet: cluster.fleet(), schema })
  router = open()
})
afterAll(async () => {
  await router?.close()
  await cluster?.stop()
})

const owner = (n: number) => `00000000-0000-4000-8000-00000000000${n}`
const token = (n: number) => `aaaaaaaa-0000-4000-8000-00000000000${n}`
const card = (n: number, more: Partial<Record<'mail', string>> & { usedAt?: Date } = {}) => ({
  ownerId: owner(n),
  boughtAt: new Date(Date.UTC(n % 2 ? 2025 : 2026, 5, 1)),
  cardNo: 9007199254740 + n,
  token: token(n),
  mail: more.mail ?? `m${n}@x`,
  usedAt: more.usedAt ?? null,
})
const owners = async (column: 'cardNo' | 'token' | 'mail' | 'usedAt', value: never) =>
  (await router.db.selectFrom('shop.giftCards').select('ownerId').where(column, '=', value).execute())
    .map((row) => row.ownerId.at(-1))
    .sort()
    .join('')
const verified = async () =>
  (await verifyLookups({ fleet: router.fleet, schema, topology: router.topology })).map(
    ({ missing, stale }) => missing + stale,
  )

test('integers, uuids, times and domains, over partitions, in another schema, under CamelCasePlugin', async () => {
  const moment = new Date('2026-03-29T01:30:00.123Z')
  await router.db
    .insertInto('shop.giftCards')
    .values([card(1), card(2), card(3, { mail: 'm1@x' }), card(4, { usedAt: moment }), card(5, { usedAt: moment })])
    .execute()
  expect(await owners('cardNo', 9007199254742 as never)).toBe('2')
  expect(await owners('cardNo', '9007199254743' as never)).toBe('3')
  expect(await owners('token', token(4).toUpperCase() as never)).toBe('4')
  expect(await owners('mail', 'm1@x' as never)).toBe('13')
  expect(await owners('usedAt', moment as never)).toBe('45')
  expect(await owners('usedAt', '2026-03-29 03:30:00.123+02' as never)).toBe('45')
  expect(
    (await router.explain(router.db.selectFrom('shop.giftCards').selectAll().where('token', '=', token(4)))).kind,
  ).toBe('one')
  await expect(
    router.db
      .insertInto('shop.giftCards')
      .values({ ...card(6), token: token(1) })
      .execute(),
  ).rejects.toMatchObject({
    code: '23505',
    table: 'gift_cards',
    schema: 'shop',
  })
  expect(await verified()).toEqual([0, 0, 0, 0])
})

test('a row that moves to another partition, a key that moves to another shard', async () => {
  await router.db
    .updateTable('shop.giftCards')
    .set({ boughtAt: new Date('2026-07-01T00:00:00Z') })
    .where('ownerId', '=', owner(1))
    .execute()
  await router.moveKey({ family: 'ownerId', from: owner(2), to: owner(9) })
  expect(await owners('cardNo', 9007199254742 as never)).toBe('9')
  expect(await verified()).toEqual([0, 0, 0, 0])
  await expect(router.moveKey({ family: 'cards_by_token', from: token(1), to: token(2) })).rejects.toMatchObject({
    code: 'MOVE_KEY_UNSUITABLE',
  })
})

test('a stream finds its shard by lookup', async () => {
  const seen: string[] = []
  for await (const row of router.db.selectFrom('shop.giftCards').select('token').where('mail', '=', 'm1@x').stream())
    seen.push(row.token ?? '')
  expect(seen.sort()).toEqual([token(1), token(3)])
})

test('columns whose equality is not that of their text are refused', async () => {
  const odd = defineSchema<Database>({ naming: 'snake_case' })({
    tables: { 'shop.giftCards': sharded('ownerId') },
    lookups: [lookup({ table: 'shop.giftCards', column: 'mail', to: 'ownerId', name: 'odd' })],
  })
  for (const shard of cluster.fleet().shards) {
    await using connection = await shard.connect()
    await connection.script(`create collation if not exists shop.loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
      create table shop.odd (mail text collate shop.loose primary key, owner_id uuid not null, row_id text not null)`)
  }
  const refused = createShardRouter({
    schema: odd,
    topology: { hash: 'murmur3', ...cluster.topologyInput() },
    recovery: false,
  })
  await expect(refused.ready()).rejects.toMatchObject({ code: 'KEY_COLUMN_UNSUITABLE' })
  await refused.close()
})
