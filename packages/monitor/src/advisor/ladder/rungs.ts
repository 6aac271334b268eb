import type { SystemFacts } from './system-facts.ts'

export type RungName = 'indexes' | 'pool' | 'cache' | 'replicas' | 'partitions' | 'shards' | 'citus'

/** A step of growth; the cheap ones come first. */
export interface Rung {
  readonly name: RungName
  readonly step: string
  /** Undefined: not known. */
  inUse(facts: SystemFacts): boolean | undefined
  /** Why it is needed now; undefined when it is not. */
  need(facts: SystemFacts): string | undefined
}

const GB = 1e9
const high = { connections: 0.7, cpu: 0.7, reads: 0.8, scatters: 0.2 } as const
const largeTableBytes = 50 * GB
const largeShardBytes = 500 * GB
const manyShards = 16

export const rungs: readonly Rung[] = Object.freeze<Rung[]>([
  {
    name: 'indexes',
    step: 'Build the missing indexes.',
    inUse: ({ missingIndexes }) => missingIndexes === 0,
    need: ({ missingIndexes: missing }) =>
      missing === 0 ? undefined : `${missing} ${missing === 1 ? 'index is' : 'indexes are'} missing`,
  },
  {
    name: 'pool',
    step: 'Put PgBouncer before the servers, or lower the pools of the processes.',
    inUse: ({ pooler }) => pooler,
    need: ({ connectionsRatio: ratio }) =>
      ratio !== undefined && ratio > high.connections
        ? `${percent(ratio)} of a server's connections are taken`
        : undefined,
  },
  {
    name: 'cache',
    step: 'Keep what is read often in the cache of the processes.',
    inUse: ({ ownCache }) => ownCache,
    need: ({ cpuRatio: cpu, readRatio: reads, cacheHitRatio: hits }) => {
      if (reads === undefined || reads < high.reads) return undefined
      if (cpu !== undefined && cpu > high.cpu)
        return `${percent(cpu)} CPU, and ${percent(reads)} of the rows are only read`
      return hits !== undefined && hits < 0.9
        ? `only ${percent(hits)} of the reads hit PostgreSQL's buffers`
        : undefined
    },
  },
  {
    name: 'replicas',
    step: 'Add a replica to each shard, and let reads go there.',
    inUse: ({ replicas }) => replicas > 0,
    need: ({ cpuRatio: cpu, readRatio: reads }) =>
      cpu !== undefined && cpu > high.cpu && reads !== undefined && reads >= high.reads
        ? `${percent(cpu)} CPU, and ${percent(reads)} of the rows are only read`
        : undefined,
  },
  {
    name: 'partitions',
    step: 'Partition the largest tables by time, and drop what is old.',
    inUse: ({ partitionedTables }) => partitionedTables > 0,
    need: ({ largestTable: table }) =>
      table !== undefined && table.bytes > largeTableBytes
        ? `${table.name} has ${Math.round(table.bytes / GB)} GB in one piece`
        : undefined,
  },
  {
    name: 'shards',
    step: 'Add shards: `shardwright shards add`.',
    inUse: ({ shards }) => shards > 1,
    need: ({ largestShardBytes: bytes, cpuRatio: cpu, readRatio: reads }) => {
      if (bytes !== undefined && bytes > largeShardBytes) return `a shard has ${Math.round(bytes / GB)} GB`
      return cpu !== undefined && cpu > high.cpu && reads !== undefined && reads < high.reads
        ? `${percent(cpu)} CPU, and ${percent(1 - reads)} of the rows are written, which no replica takes over`
        : undefined
    },
  },
  {
    name: 'citus',
    step: 'Let Citus plan what needs many shards at once.',
    inUse: ({ citus }) => citus,
    need: ({ scatterRatio: ratio, shards }) => {
      if (ratio !== undefined && ratio > high.scatters) return `${percent(ratio)} of the statements ask several shards`
      return shards > manyShards ? `${shards} shards are a fleet to move data in` : undefined
    },
  },
])

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}
