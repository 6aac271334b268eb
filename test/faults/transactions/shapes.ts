import { defineSchema, type ShardKey, sharded } from '@shardwright/core'
import type { LocalCluster } from '@shardwright/local-cluster'

export type { ProtocolStep } from '@shardwright/shard-router'

export interface BankDatabase {
  account: { id: ShardKey<number>; balance: number }
  transfer: { account: ShardKey<number>; id: string; amount: number }
}

export const bankSchema = defineSchema<BankDatabase>()({
  tables: { account: sharded('id'), transfer: sharded('account', { family: 'id' }) },
})

export type TopologyInputLike = { readonly id: string; readonly hash: 'postgres' } & ReturnType<
  LocalCluster['topologyInput']
>

export const bankSql = `create table account (id int primary key, balance int not null);
 create table transfer (account int not null, id uuid not null, amount int not null, primary key (account, id))`

/** Legs of every transfer: three accounts on three shards. */
export const legs = 3
