import type { FleetConnection } from '@shardwright/core'
import { type MachineSizes, parseMachines } from '../machine/machine-size.ts'
import type { Collector } from './collector.ts'
import type { Sample } from './sample.ts'

interface TablespaceRow {
  readonly name: string
  readonly bytes: number | null
  /** It lies outside the data directory. */
  readonly elsewhere: boolean
}

/**
 * How full the disks of the servers are: PostgreSQL's own files (all databases, temporary files, write-ahead log) against the
 * size that the operator states, since SQL knows no free space. Other files on the volume are not seen, so it is the least that
 * is used. A volume without a stated size is not told; of one with a size that the role may not look at, nothing is known.
 * @throws MonitorError MONITOR_INVALID_OPTIONS
 * @example
 * createMonitor({ fleet, collectors: [...defaultCollectors, diskUse({ machines: { 'eu-1': { diskBytes: 500e9 } } })] })
 */
export function diskUse(options: { readonly machines: MachineSizes }): Collector {
  const machines = parseMachines(options.machines)
  return Object.freeze<Collector>({
    name: 'disk-use',
    async collect(connection) {
      const { diskBytes, tablespaceBytes = {} } = machines[connection.shardId] ?? {}
      if (diskBytes === undefined && Object.keys(tablespaceBytes).length === 0) return []
      const spaces = await readTablespaces(connection)
      const ratio = (volume: string, used: number | undefined, size: number): Sample => ({
        metric: 'disk_ratio',
        labels: { shard: connection.shardId, volume },
        value: used === undefined ? undefined : used / size,
      })
      const inside = spaces.filter(({ elsewhere }) => !elsewhere).reduce((sum, { bytes }) => sum + (bytes ?? 0), 0)
      return [
        ...(diskBytes === undefined ? [] : [ratio('data', inside + (await readWal(connection)), diskBytes)]),
        ...Object.entries(tablespaceBytes).map(([name, size]) =>
          ratio(name, spaces.find((space) => space.name === name)?.bytes ?? undefined, size),
        ),
      ]
    },
  })
}

async function readTablespaces(connection: FleetConnection): Promise<readonly TablespaceRow[]> {
  const { rows } = await connection.query<TablespaceRow>(`
    select spcname as name, pg_tablespace_size(oid)::float8 as bytes, pg_tablespace_location(oid) like '/%' as elsewhere
    from pg_tablespace`)
  return rows
}

async function readWal(connection: FleetConnection): Promise<number> {
  const { rows } = await connection.query<{ bytes: number | null }>(
    'select sum(size)::float8 as bytes from pg_ls_waldir()',
  )
  return rows[0]?.bytes ?? 0
}
