import { defineSchema, lookup, type ShardKey, sharded } from '@shardwright/core'
import type { LocalCluster } from '@shardwright/local-cluster'

export type { ProtocolStep } from '@shardwright/shard-router'

export interface BankDatabase {
  account: { id: ShardKey<number>; balance: number; name: string | null }
  card: { account: ShardKey<number>; id: string; number: string }
  transfer: { account: ShardKey<number>; id: string; amount: number }
  /** What is inserted here moves money by a trigger: a transfer is one statement. */
  posting: { account: ShardKey<number>; id: string; amount: number }
}

export const bankSchema = defineSchema<BankDatabase>()({
  tables: {
    account: sharded('id'),
    card: sharded('account', { family: 'id' }),
    transfer: sharded('account', { family: 'id' }),
    posting: sharded('account', { family: 'id' }),
  },
  lookups: [
    lookup({ table: 'account', column: 'name', to: 'id', unique: true }),
    lookup({ table: 'card', column: 'number', to: 'account', unique: true }),
  ],
})

export type TopologyInputLike = { readonly id: string; readonly hash: 'postgres' } & ReturnType<
  LocalCluster['topologyInput']
>

export const bankSql = `create table account (id int primary key, balance int not null, name text);
 create table card (account int not null, id uuid not null, number text not null, primary key (account, id));
 create table transfer (account int not null, id uuid not null, amount int not null, primary key (account, id));
 create table posting (account int not null, id uuid not null, amount int not null, primary key (account, id));
 create function post() returns trigger language plpgsql as $$ begin
   update account set balance = balance + new.amount where id = new.account;
   insert into transfer values (new.account, new.id, new.amount);
   return new;
 end $$;
 create trigger posted after insert on posting for each row execute function post()`

/** Legs of every transfer: three accounts on three shards. */
export const legs = 3

/** Names and numbers are drawn from so many, so that transfers now and then want one that is taken. */
export const valuesInAll = 300
