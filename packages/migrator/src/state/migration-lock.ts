import type { Clock, FleetConnection } from '@shardwright/core'
import { MigrationError } from '../errors/migration-error.ts'

// 'ShMi' and 1: one lock per database, since the state it guards is one table per database.
const lockClass = 0x53_68_4d_69
const lockObject = 1

export interface LockOptions {
  readonly waitMs: number
  readonly clock: Clock
  readonly signal?: AbortSignal | undefined
  /** Keeps migrations away without doing any; several may. */
  readonly shared?: boolean
}

export interface LockHolder {
  readonly pid: number
  readonly applicationName: string
  readonly address: string | null
}

/**
 * Takes the shard's migration lock on this session, which runs the DDL too: if the session dies, so does the lock.
 * It polls: a backend that blocks in pg_advisory_lock holds a snapshot, and CREATE INDEX CONCURRENTLY would wait for it.
 *
 * @throws MigrationError MIGRATION_LOCKED
 */
export async function acquireMigrationLock(connection: FleetConnection, options: LockOptions): Promise<void> {
  const tryLock = options.shared ? 'pg_try_advisory_lock_shared' : 'pg_try_advisory_lock'
  const deadline = options.clock.monotonicMs() + options.waitMs
  for (;;) {
    const { rows } = await connection.query<{ locked: boolean }>(`select ${tryLock}($1, $2) as locked`, [
      lockClass,
      lockObject,
    ])
    if (rows[0]?.locked) return
    const leftMs = deadline - options.clock.monotonicMs()
    if (leftMs <= 0) throw await lockedError(connection)
    await options.clock.sleep(Math.min(250, leftMs), options.signal ? { signal: options.signal } : {})
  }
}

/** Whichever of the two this session holds. */
export async function releaseMigrationLock(connection: FleetConnection): Promise<void> {
  await connection.query('select pg_advisory_unlock_all()')
}

/** Who holds the lock of this shard now, or undefined. */
export async function migrationLockHolder(connection: FleetConnection): Promise<LockHolder | undefined> {
  const { rows } = await connection.query<LockHolder>(
    `select a.pid, a.application_name as "applicationName", host(a.client_addr) as address
     from pg_locks l join pg_stat_activity a on a.pid = l.pid
     where l.locktype = 'advisory' and l.granted and l.objsubid = 2 and l.classid = $1::int8::oid and l.objid = $2::int8::oid
       and l.database = (select oid from pg_database where datname = current_database())`,
    [lockClass, lockObject],
  )
  return rows[0]
}

async function lockedError(connection: FleetConnection): Promise<MigrationError> {
  const holder = await migrationLockHolder(connection)
  const who = holder ? ` by ${holder.applicationName || 'a session'} (backend ${holder.pid})` : ''
  return new MigrationError({
    code: 'MIGRATION_LOCKED',
    message: `The shard ${connection.shardId} is being migrated${who}.`,
    hint: 'Wait until that run has ended; its state then shows what is left. `lockWaitMs` makes this run wait longer.',
    details: { shard: connection.shardId, backend: holder?.pid },
  })
}
