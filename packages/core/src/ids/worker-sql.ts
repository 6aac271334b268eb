import type { FleetConnection } from '../ports/fleet.ts'
import { createOwnSchema } from '../schema/own-schema.ts'

/** A number just taken, with its fencing token and the span of time reserved for it. */
export interface TakenWorker {
  readonly worker: number
  readonly token: string
  readonly firstMs: number
  readonly untilMs: number
}

// The lock is held to the end of the implicit transaction: CREATE ... IF NOT EXISTS alone fails when two race.
const install = `
select pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('shardwright.id_workers', 0));
${createOwnSchema};
create table if not exists shardwright.id_workers (
  worker integer primary key,
  token bigint not null default 0,
  until_ms bigint not null default 0,
  expires_at timestamptz not null default '-infinity'
)`

const fill = `
insert into shardwright.id_workers (worker)
select n from generate_series(0, $1::int - 1) as n
on conflict do nothing`

// The longest unused number first. A number whose span lies in the acquirer's future (another machine's clock is ahead)
// is left alone: its first id would be of a time that has not come.
const acquire = `
with free as (
  select worker, until_ms from shardwright.id_workers
  where expires_at <= clock_timestamp() and worker < $3::int and until_ms <= $1::bigint + 1000
  order by expires_at, worker limit 1
  for update skip locked
)
update shardwright.id_workers as held
set token = held.token + 1,
    until_ms = greatest(free.until_ms, $1::bigint) + $2::bigint,
    expires_at = clock_timestamp() + $2::bigint * interval '1 millisecond'
from free where held.worker = free.worker
returning held.worker, held.token::text, free.until_ms::text as previous_ms, held.until_ms::text as until_ms`

const renew = `
update shardwright.id_workers
set until_ms = greatest(until_ms, $3::bigint + $4::bigint),
    expires_at = clock_timestamp() + $4::bigint * interval '1 millisecond'
where worker = $1::int and token = $2::bigint
returning until_ms::text`

const giveBack = `
update shardwright.id_workers
set until_ms = least(until_ms, $3::bigint), expires_at = clock_timestamp(), token = token + 1
where worker = $1::int and token = $2::bigint`

/** Creates the table and its rows where they are missing. */
export async function installWorkers(connection: FleetConnection, workers: number): Promise<void> {
  if ((await countWorkers(connection)) >= workers) return
  await connection.script(install)
  await connection.query(fill, [workers])
}

async function countWorkers(connection: FleetConnection): Promise<number> {
  const { rows: found } = await connection.query<{ found: boolean }>(
    "select to_regclass('shardwright.id_workers') is not null as found",
  )
  if (!found[0]?.found) return 0
  const { rows } = await connection.query<{ n: number }>('select count(*)::int as n from shardwright.id_workers')
  return rows[0]?.n ?? 0
}

/** Takes a free number, or `undefined` when there is none. */
export async function acquireWorker(
  connection: FleetConnection,
  { nowMs, leaseMs, workers }: { readonly nowMs: number; readonly leaseMs: number; readonly workers: number },
): Promise<TakenWorker | undefined> {
  const { rows } = await connection.query<{ worker: number; token: string; previous_ms: string; until_ms: string }>(
    acquire,
    [nowMs, leaseMs, workers],
  )
  const row = rows[0]
  if (!row) return undefined
  return {
    worker: row.worker,
    token: row.token,
    firstMs: Number(row.previous_ms) + 1,
    untilMs: Number(row.until_ms),
  }
}

/** Reserves the next span of time; `undefined` when the number belongs to another by now. */
export async function renewWorker(
  connection: FleetConnection,
  { worker, token }: Pick<TakenWorker, 'worker' | 'token'>,
  fromMs: number,
  leaseMs: number,
): Promise<number | undefined> {
  const { rows } = await connection.query<{ until_ms: string }>(renew, [worker, token, fromMs, leaseMs])
  return rows[0] && Number(rows[0].until_ms)
}

/** Gives a number back, with all that was reserved and not used. */
export async function releaseWorker(
  connection: FleetConnection,
  { worker, token }: Pick<TakenWorker, 'worker' | 'token'>,
  usedMs: number,
): Promise<void> {
  await connection.query(giveBack, [worker, token, usedMs])
}
