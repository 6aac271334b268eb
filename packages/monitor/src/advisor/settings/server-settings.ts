import type { FleetConnection } from '@shardwright/core'
import { readProc } from '../../collect/read-proc.ts'

/** The machine a server runs on, where it is known. */
export interface Machine {
  readonly memoryBytes: number
  readonly cpus: number | undefined
}

/** What the judgement of a server's settings needs. */
export interface ServerSettings {
  /** Of settings in units: bytes and milliseconds; else as they are. */
  readonly values: ReadonlyMap<string, number>
  readonly machine: Machine | undefined
  /** Of checkpoints that were made: how many were forced by the amount of WAL; undefined before there were some. */
  readonly forcedCheckpoints: number | undefined
}

const names = [
  'shared_buffers',
  'work_mem',
  'maintenance_work_mem',
  'effective_cache_size',
  'max_connections',
  'max_prepared_transactions',
  'random_page_cost',
  'checkpoint_timeout',
  'checkpoint_completion_target',
  'max_wal_size',
  'idle_in_transaction_session_timeout',
] as const

/** A setting that is read. */
export type SettingName = (typeof names)[number]

const units: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1024,
  '8kB': 8192,
  MB: 1024 ** 2,
  GB: 1024 ** 3,
  ms: 1,
  s: 1000,
  min: 60_000,
}
const fewestCheckpoints = 20

export async function readServerSettings(
  connection: FleetConnection,
  given: Machine | undefined,
): Promise<ServerSettings> {
  const { rows } = await connection.query<{ name: string; setting: string; unit: string | null }>(
    'select name, setting, unit from pg_settings where name = any($1)',
    [names],
  )
  const values = new Map(
    rows.map(({ name, setting, unit }) => [name, Number(setting) * (unit === null ? 1 : (units[unit] ?? 1))]),
  )
  const proc = given === undefined ? await readProc(connection) : undefined
  return { values, machine: given ?? proc, forcedCheckpoints: await readForcedCheckpoints(connection) }
}

async function readForcedCheckpoints(connection: FleetConnection): Promise<number | undefined> {
  const newer = await connection.query<{ yes: boolean }>(
    "select to_regclass('pg_catalog.pg_stat_checkpointer') is not null as yes",
  )
  const { rows } = await connection.query<{ timed: number; requested: number }>(
    newer.rows[0]?.yes
      ? 'select num_timed::float8 as timed, num_requested::float8 as requested from pg_stat_checkpointer'
      : 'select checkpoints_timed::float8 as timed, checkpoints_req::float8 as requested from pg_stat_bgwriter',
  )
  const { timed = 0, requested = 0 } = rows[0] ?? {}
  return timed + requested >= fewestCheckpoints ? requested / (timed + requested) : undefined
}
