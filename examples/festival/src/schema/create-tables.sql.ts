/** The schema of every shard; one PostgreSQL gets the same. `transactions` is partitioned by month. */
export const createTables = `
create table festivals (
  id text primary key, name text not null, region text not null, country text not null);
create table users (
  id bigint primary key, name text not null, country text not null);
create table stands (
  festival_id text not null, id int not null, name text not null, kind text not null,
  primary key (festival_id, id));
create table wallets (
  festival_id text not null, id bigint not null, user_id bigint not null, balance numeric(12,2) not null,
  primary key (festival_id, id));
create table transactions (
  festival_id text not null, id bigint not null, wallet_id bigint not null, user_id bigint not null,
  stand_id int, kind text not null, amount numeric(10,2) not null, created_at timestamptz not null,
  primary key (festival_id, id, created_at)) partition by range (created_at);
create index transactions_wallet_idx on transactions (festival_id, wallet_id, created_at);
create table orders (
  festival_id text not null, id bigint not null, wallet_id bigint not null, stand_id int not null,
  items int not null, total numeric(10,2) not null, placed_at timestamptz not null,
  primary key (festival_id, id));
create table tickets (
  user_id bigint not null, id bigint not null, festival_id text not null, kind text not null,
  price numeric(10,2) not null, primary key (user_id, id));
create table sessions (
  user_id bigint not null, id bigint not null, device text not null, expires_at timestamptz not null,
  primary key (user_id, id));
`
