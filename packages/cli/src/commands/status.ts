import { isCitus } from '@shardwright/core'
import type { ShardStatus } from '@shardwright/migrator'
import { hashTopology } from '../config/engine.ts'
import { formatBytes } from '../output/bytes.ts'
import { exitCode } from '../output/exit-code.ts'
import { renderTable } from '../output/table.ts'
import { wrap } from '../output/wrap.ts'
import type { Command } from '../run/command.ts'
import { migratorOf } from './migrate.ts'
import { readServerFacts, type ServerFacts } from './server-facts.ts'
import { publicTopology } from './topology.ts'

interface ShardLine {
  readonly shard: string
  readonly address: string
  readonly facts: ServerFacts | undefined
  readonly migrations: ShardStatus | undefined
  readonly error: string | undefined
}

/** The whole fleet on one screen. */
export const status: Command = async (context) => {
  const opened = await context.open()
  if (isCitus(opened.topology)) return await (await import('./citus/status.ts')).citusStatus(context, {})
  const migrations = await migratorOf(opened).status()
  const lines = await Promise.all(
    opened.fleet.shards.map(async (shard): Promise<ShardLine> => {
      const base = {
        shard: shard.id,
        address: shard.address,
        migrations: migrations.shards.find((entry) => entry.shard === shard.id),
      }
      try {
        return { ...base, facts: await readServerFacts(shard), error: undefined }
      } catch (error) {
        return { ...base, facts: undefined, error: error instanceof Error ? error.message : String(error) }
      }
    }),
  )
  const topology = hashTopology(opened.topology, '')
  const head = `${topology.id}: ${topology.shards.length} shards, ${topology.buckets} buckets by ${topology.hash} hash, epoch ${topology.epoch}`
  const total = migrations.migrations.length
  const healthy = lines.every((line) => line.facts && line.facts.inDoubt === 0) && migrations.complete
  return {
    data: { topology: publicTopology(topology), migrations: total, shards: lines, healthy },
    render: (width) => renderStatus(head, lines, total, width),
    exitCode: healthy ? exitCode.ok : exitCode.found,
  }
}

function renderStatus(head: string, lines: readonly ShardLine[], total: number, width: number): string {
  const table = renderTable(
    lines,
    [
      { title: 'shard', of: (line) => line.shard, shrinks: true },
      { title: 'server', of: (line) => line.address, shrinks: true },
      { title: 'version', of: (line) => (line.facts ? line.facts.version.split(' ')[0] : 'down') },
      { title: 'size', of: (line) => line.facts && formatBytes(line.facts.bytes), align: 'right' },
      {
        title: 'conn',
        of: (line) => line.facts && `${line.facts.connections}/${line.facts.maxConnections}`,
        align: 'right',
      },
      {
        title: 'migr',
        of: (line) => line.migrations && (line.migrations.error ? '?' : `${total - line.migrations.pending}/${total}`),
        align: 'right',
      },
      { title: 'parts', of: (line) => line.facts?.partitions, align: 'right' },
      { title: 'doubt', of: (line) => line.facts?.inDoubt, align: 'right' },
      { title: 'replicas', of: (line) => line.facts && replicasOf(line.facts) },
    ],
    width,
  )
  const errors = lines.flatMap((line) => (line.error ? [wrap(`${line.shard}: ${line.error}`, width, '  ')] : []))
  return [head, '', table, ...(errors.length > 0 ? ['', ...errors] : [])].join('\n')
}

function replicasOf({ replicas }: ServerFacts): string {
  if (replicas.length === 0) return '0'
  const worst = Math.max(...replicas.map((replica) => replica.lagBytes ?? 0))
  return `${replicas.length}, ${formatBytes(worst)} behind`
}
