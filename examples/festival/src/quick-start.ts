import { defineSchema, reference, type ShardKey, sharded } from '@shardwright/core'
import { startLocalCluster } from '@shardwright/local-cluster'
import { createShardRouter } from '@shardwright/shard-router'

interface Database {
  festivals: { id: string; name: string }
  wallets: { festival_id: ShardKey<string>; id: string; balance: string }
  transactions: { festival_id: ShardKey<string>; id: string; wallet_id: string; stand_id: number; amount: string }
  accounts: { id: ShardKey<string>; name: string }
  tickets: { user_id: ShardKey<string>; id: string; festival_id: string }
}

const schema = defineSchema<Database>()({
  tables: {
    festivals: reference(), // a full copy on every shard
    wallets: sharded('festival_id'),
    transactions: sharded('festival_id'),
    accounts: sharded('id', { family: 'user_id' }), // accounts.id holds the same key as tickets.user_id
    tickets: sharded('user_id'),
  },
})

await using cluster = await startLocalCluster({ shards: 2 }) // real PostgreSQL servers; yours: see below
await using router = createShardRouter({ schema, topology: { hash: 'postgres', ...cluster.topologyInput() } })

for (const shard of router.fleet.shards) {
  await using connection = await shard.connect()
  await connection.script(`
    create table festivals (id text primary key, name text not null);
    create table wallets (festival_id text, id text, balance numeric not null, primary key (festival_id, id));
    create table transactions (festival_id text, id text, wallet_id text not null, stand_id int not null,
      amount numeric not null, primary key (festival_id, id));
    create table accounts (id bigint primary key, name text not null);
    create table tickets (user_id bigint, id text, festival_id text not null, primary key (user_id, id))`)
}

// Plain Kysely. Reference rows go to every shard; each wallet to the shard of its festival, all of them or none.
const [nordlicht, fjord] = ['nordlicht', 'fjord']
await router.db.insertInto('festivals').values({ id: nordlicht, name: 'Nordlicht' }).execute()
await router.db
  .insertInto('wallets')
  .values([
    { festival_id: nordlicht, id: 'w1', balance: '20.00' },
    { festival_id: fjord, id: 'w2', balance: '35.50' },
  ])
  .execute()

// Routed by its own WHERE.
const wallets = await router.db.selectFrom('wallets').selectAll().where('festival_id', '=', nordlicht).execute()
console.log(wallets)

// One key, one shard, one transaction; no query in here can leave the key.
await router
  .for({ festival_id: nordlicht })
  .transaction()
  .execute(async (trx) => {
    const sale = { festival_id: nordlicht, id: 't1', wallet_id: 'w1', stand_id: 3, amount: '4.50' }
    await trx.insertInto('transactions').values(sale).execute()
    await trx
      .updateTable('wallets')
      .set((eb) => ({ balance: eb('balance', '-', sale.amount) }))
      .where('id', '=', sale.wallet_id)
      .execute()
  })

// All shards, merged: the same answer as one PostgreSQL.
const perStand = router
  .fanOut()
  .selectFrom('transactions')
  .select(({ fn }) => ['stand_id', fn.sum('amount').as('total')])
  .groupBy('stand_id')
console.log(await perStand.execute())

console.log(`${await router.explain(perStand)}`) // shards, reason, SQL, merge steps
