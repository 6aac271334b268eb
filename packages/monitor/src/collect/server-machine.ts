import type { Collector } from './collector.ts'
import { readProc } from './read-proc.ts'

/**
 * CPU and memory of the server's machine, from /proc where the role may read files of the server (pg_read_server_files);
 * nothing elsewhere. In a container it is the machine's figure, not the container's.
 */
export const serverMachine: Collector = Object.freeze<Collector>({
  name: 'server-machine',
  async collect(connection, memory, nowMs) {
    const proc = await readProc(connection)
    if (proc === undefined) return []
    const labels = { shard: connection.shardId }
    const busy = memory.growth('machine.busy', proc.busyTicks, nowMs)?.by
    const all = memory.growth('machine.all', proc.allTicks, nowMs)?.by
    return [
      { metric: 'cpu_ratio', labels, value: busy === undefined || !all ? undefined : busy / all },
      { metric: 'memory_ratio', labels, value: 1 - proc.availableBytes / proc.memoryBytes },
    ]
  },
})
