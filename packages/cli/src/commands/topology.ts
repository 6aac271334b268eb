import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { describeTopology, diffTopology, formatBuckets, type Topology } from '@shardwright/core'
import { loadConfig } from '../config/load-config.ts'
import { resolveTopology } from '../config/resolve-topology.ts'
import { CliError } from '../errors/cli-error.ts'
import { exitCode } from '../output/exit-code.ts'
import type { Command } from '../run/command.ts'

/** Buckets and shards of the configuration, without passwords. */
export const topologyShow: Command = async (context) => {
  const { topology } = await context.open()
  return { data: publicTopology(topology), render: () => describeTopology(topology) }
}

/** Loads and checks the configuration: whatever is wrong is an error with its code. */
export const topologyValidate: Command = async (context) => {
  const { topology } = await context.open()
  return {
    data: { valid: true, ...publicTopology(topology) },
    render: () => `The topology ${topology.id} (epoch ${topology.epoch}) is valid.`,
  }
}

/** What would change from this configuration to another file's. */
export const topologyDiff: Command<{ readonly other: string }> = async (context, { other }) => {
  const { topology } = await context.open()
  const next = await readOther(other)
  const diff = diffTopology(topology, next)
  const lines = [
    `epoch ${diff.epochs[0]} -> ${diff.epochs[1]}`,
    ...diff.addedShards.map((id) => `+ shard ${id}`),
    ...diff.removedShards.map((id) => `- shard ${id}`),
    ...diff.changedShards.map((id) => `~ shard ${id}: other servers`),
    ...diff.moves.map(
      (move) => `~ ${move.buckets.length} buckets ${move.from} -> ${move.to}: ${formatBuckets(move.buckets)}`,
    ),
    ...diff.pins.map((pin) => `~ pin of family ${pin.family}: ${pin.from ?? 'none'} -> ${pin.to ?? 'none'}`),
  ]
  return {
    data: diff,
    render: () => (diff.same ? 'The same.' : lines.join('\n')),
    exitCode: diff.same ? exitCode.ok : exitCode.found,
  }
}

async function readOther(file: string): Promise<Topology> {
  if (!/\.[mc]?[jt]s$/.test(file)) {
    throw new CliError({
      code: 'USAGE',
      message: `${file} is not a configuration file.`,
      hint: `Give a .ts or .js file, e.g. ${pathToFileURL(path.resolve('next.config.ts')).pathname}.`,
    })
  }
  return resolveTopology((await loadConfig(file)).config)
}

export function publicTopology(topology: Topology) {
  const { id, epoch, hash, buckets, bucketMap, pins } = topology
  return {
    id,
    epoch,
    hash,
    buckets,
    pins: pins.length,
    shards: topology.shards.map((shard, index) => ({
      id: shard.id,
      primary: shard.primary.address,
      replicas: shard.replicas.map((replica) => replica.address),
      buckets: bucketMap.filter((owner) => owner === index).length,
    })),
  }
}
