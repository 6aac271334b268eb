import { createOwnSchema } from '@shardwright/core'

/** The store's tables, on each shard. */
export const storeTables = `
${createOwnSchema};
create table if not exists shardwright.topology (
  id text primary key,
  epoch bigint not null,
  document jsonb not null,
  published_at timestamptz not null default clock_timestamp());
create table if not exists shardwright.topology_lease (
  topology text not null,
  holder uuid not null,
  epoch bigint not null,
  expires_at timestamptz not null,
  description text not null,
  primary key (topology, holder));
`

/** Told of each publication on a shard; the payload is the topology's id. */
export const changeChannel = 'shardwright_topology'

/**
 * Takes or renews a lease. FOR SHARE makes it wait for a publication under way, so that a lease of the old epoch is either
 * seen by the publisher or not given. An expired one is not renewed for an old epoch: its holder counts as gone already.
 * $1 topology, $2 holder, $3 epoch, $4 milliseconds, $5 description
 */
export const renewLease = `
with current as (select epoch, document from shardwright.topology where id = $1 for share),
alive as (
  select 1 from shardwright.topology_lease
  where topology = $1 and holder = $2 and epoch <= $3::bigint and expires_at > clock_timestamp()),
renewed as (
  insert into shardwright.topology_lease (topology, holder, epoch, expires_at, description)
  select $1, $2, $3::bigint, clock_timestamp() + $4::int * interval '1 millisecond', $5
  from current where $3::bigint >= current.epoch or exists (select 1 from alive)
  on conflict (topology, holder) do update set epoch = excluded.epoch, expires_at = excluded.expires_at
    where topology_lease.expires_at > clock_timestamp() or excluded.epoch >= (select epoch from current)
  returning 1)
select current.epoch::text as epoch, current.document, exists (select 1 from renewed) as held from current`

export const dropLease = 'delete from shardwright.topology_lease where topology = $1 and holder = $2'

/** Waits for renewals under way (row locks), forgets the expired, and names who still holds an older epoch. */
export const forgetExpired =
  'delete from shardwright.topology_lease where topology = $1 and expires_at <= clock_timestamp()'

export const olderLeases = `
select holder::text as holder, epoch::text as epoch, description,
  extract(epoch from expires_at - clock_timestamp()) * 1000 as "leftMs"
from shardwright.topology_lease where topology = $1 and epoch < $2::bigint`

/** Transactions of clients that began before `$1`, in this database. */
export const olderTransactions = `
select pid, application_name as "applicationName", state
from pg_catalog.pg_stat_activity
where datname = pg_catalog.current_database() and backend_type = 'client backend' and pid <> pg_catalog.pg_backend_pid()
  and xact_start < $1::timestamptz`

export const preparedTransactions = `
select gid from pg_catalog.pg_prepared_xacts
where database = pg_catalog.current_database() and prepared < $1::timestamptz`
