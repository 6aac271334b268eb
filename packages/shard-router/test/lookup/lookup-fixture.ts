import { defineSchema, lookup, reference, type ShardKey, sharded } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { createShardRouter, installLookups, type ShardRouterOptions } from '@shardwright/shard-router'

export interface Database {
  users: { user_id: ShardKey<number>; id: number; email: string | null; city: string | null; name: string | null }
  orders: { user_id: ShardKey<number>; id: number; code: string; total: number }
  teams: { id: number; name: string }
}

const tables = { users: sharded('user_id'), orders: sharded('user_id'), teams: reference() }

/** As it was before there were lookups. */
export const plainSchema = defineSchema<Database>()({ tables })

export const schema = defineSchema<Database>()({
  tables,
  lookups: [
    lookup({ table: 'users', column: 'email', to: 'user_id', unique: true }),
    lookup({ table: 'users', column: 'city', to: 'user_id' }),
    lookup({ table: 'orders', column: 'code', to: 'user_id', unique: true }),
  ],
})

/** `unique` is what one PostgreSQL has and no shard alone can. */
export const ddl = (unique: string) => `
  create table users (user_id int not null, id int not null, email text ${unique}, city text, name text, primary key (user_id, id));
  create table orders (user_id int not null, id int not null, code text not null ${unique}, total int not null default 0, primary key (user_id, id),
    foreign key (user_id, id) references users (user_id, id) on delete cascade);
  create table teams (id int primary key, name text);`

export async function startUsers(shards = 4): Promise<LocalCluster> {
  const cluster = await startLocalCluster({ shards, databasePerShard: true })
  for (const shard of cluster.fleet().shards) {
    await using connection = await shard.connect()
    await connection.script(ddl(''))
  }
  await installLookups({ fleet: cluster.fleet(), schema })
  return cluster
}

export function routerOf(cluster: LocalCluster, options: Partial<ShardRouterOptions<typeof schema>> = {}) {
  return createShardRouter({
    schema,
    topology: { hash: 'postgres', ...cluster.topologyInput() },
    recovery: false,
    ...options,
  })
}
