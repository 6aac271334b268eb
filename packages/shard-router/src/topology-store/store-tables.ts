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
  lease_ms int not null default 15000,
  description text not null,
  primary key (topology, holder));
alter table shardwright.topology_lease add column if not exists lease_ms int not null default 15000;
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
  insert into shardwright.topology_lease (topology, holder, epoch, expires_at, lease_ms, description)
  select $1, $2, $3::bigint, clock_timestamp() + $4::int * interval '1 millisecond', $4::int, $5
  from current where $3::bigint >= current.epoch or exists (select 1 from alive)
  on conflict (topology, holder) do update set epoch = excluded.epoch, expires_at = excluded.expires_at, lease_ms = excluded.lease_ms
    where topology_lease.expires_at > clock_timestamp() or excluded.epoch >= (select epoch from current)
  returning 1)
select current.epoch::text as epoch, current.document, exists (select 1 from renewed) as held from current`

export const dropLease = 'delete from shardwright.topology_lease where topology = $1 and holder = $2'

/** Leases of epochs before `$2`. Each renewal has another `expiresAt`. */
export const olderLeases = `
select holder::text as holder, epoch::text as epoch, description, expires_at::text as "expiresAt", lease_ms as "leaseMs"
from shardwright.topology_lease where topology = $1 and epoch < $2::bigint`

/** What processes that crashed have left: no clock is set forward by an hour. */
export const forgetLongExpired = `
delete from shardwright.topology_lease where topology = $1 and expires_at < clock_timestamp() - interval '1 hour'`

/** Forgets a lease, unless it was renewed meanwhile. $1 topology, $2 holder, $3 expiresAt */
export const forgetLease = `
delete from shardwright.topology_lease where topology = $1 and holder = $2::uuid and expires_at = $3::timestamptz`

/**
 * The transactions of clients that are open in this database. Each holds the lock of its own virtual number, which every
 * role may see, where pg_stat_activity shows the start of a transaction to its own role and to few others.
 */
export const openTransactions = `
select l.virtualtransaction as transaction, a.pid, a.application_name as "applicationName"
from pg_catalog.pg_locks l join pg_catalog.pg_stat_activity a on a.pid = l.pid
where l.locktype = 'virtualxid' and l.mode = 'ExclusiveLock' and l.granted
  and a.datname = pg_catalog.current_database() and a.usesysid is not null and a.pid <> pg_catalog.pg_backend_pid()`

export const preparedTransactions = `
select gid as transaction from pg_catalog.pg_prepared_xacts where database = pg_catalog.current_database()`
