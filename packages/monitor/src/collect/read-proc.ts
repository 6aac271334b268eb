import type { FleetConnection } from '@shardwright/core'

/** The server's machine, as Linux tells it. */
export interface Proc {
  readonly memoryBytes: number
  readonly availableBytes: number
  readonly cpus: number
  /** Ticks since the start, all CPUs together. */
  readonly allTicks: number
  readonly busyTicks: number
}

/** Reads /proc on the server's machine; undefined where the role may not, or there is no Linux. */
export async function readProc(connection: FleetConnection): Promise<Proc | undefined> {
  const may = await connection.query<{ may: boolean }>(`
    select pg_has_role('pg_read_server_files', 'member')
      and has_function_privilege('pg_read_file(text, bigint, bigint, boolean)', 'execute') as may`)
  if (may.rows[0]?.may !== true) return undefined
  const { rows } = await connection.query<{ stat: string | null; memory: string | null }>(`
    select pg_read_file('/proc/stat', 0, 1000000, true) as stat, pg_read_file('/proc/meminfo', 0, 100000, true) as memory`)
  const { stat, memory } = rows[0] ?? {}
  return stat && memory ? parseProc(stat, memory) : undefined
}

/** `stat` and `meminfo` of /proc; undefined when they are not as Linux writes them. */
export function parseProc(stat: string, memory: string): Proc | undefined {
  const ticks = /^cpu +([\d ]+)$/m.exec(stat)?.[1]?.trim().split(/ +/).map(Number)
  const memoryBytes = kilobytes(memory, 'MemTotal')
  const availableBytes = kilobytes(memory, 'MemAvailable')
  if (!ticks || memoryBytes === undefined || availableBytes === undefined) return undefined
  // user nice system idle iowait irq softirq steal; the guests' are in user already.
  const counted = ticks.slice(0, 8)
  const allTicks = counted.reduce((sum, value) => sum + value, 0)
  const idle = (counted[3] ?? 0) + (counted[4] ?? 0)
  const cpus = stat.match(/^cpu\d+ /gm)?.length ?? 1
  return Object.freeze({ memoryBytes, availableBytes, cpus, allTicks, busyTicks: allTicks - idle })
}

function kilobytes(memory: string, name: string): number | undefined {
  const found = new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(memory)?.[1]
  return found === undefined ? undefined : Number(found) * 1024
}
