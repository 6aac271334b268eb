import path from 'node:path'
import { pathToFileURL } from 'node:url'
import {
  type AnyTopology,
  describeTopology,
  diffTopology,
  formatBuckets,
  isCitus,
  type Topology,
} from '@shardwright/core'
import { hashTopology } from '../config/engine.ts'
import { loadConfig } from '../config/load-config.ts'
import { resolveTopology } from '../config/resolve-topology.ts'
import { CliError } from '../errors/cli-error.ts'
import { exitCode } from '../output/exit-code.ts'
import type { Command } from '../run/command.ts'

/** Buckets and shards of the configuration, without passwords. */
export const topologyShow: Command = async (context) => {
  const { topology } = await context.open()
  if (isCitus(topology)) return await (await import('./citus/show.ts')).citusShow(context, {})
  return { data: publicTopology(topology), render: () => describeTopology(topology) }
}

/** Loads and checks the configuration: whatever is wrong is an error with its code. */
export const topologyValidate: Command = async (context) => {
  const { topology } = await context.open()
  if (isCitus(topology)) {
    const { id, engine, coordinator } = topology
    return {
      data: { valid: true, id, engine, coordinator: coordinator.address },
      render: () => `The topology ${id} (Citus, coordinator ${coordinator.address}) is valid.`,
    }
  }
  return {
    data: { valid: true, ...publicTopology(topology) },
    render: () => `The topology ${topology.id} (epoch ${topology.epoch}) is valid.`,
  }
}

/** What would change from this configuration to another file's. */
export const topologyDiff: Command<{ readonly other: string }> = async (context, { other }) => {
  const topology = hashTopology((await context.open()).topology, noDiff)
  const next = hashTopology(await readOther(other), noDiff)
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

const noDiff = 'Where shards are is in Citus itself: `shardwright citus rebalance plan` says what would move.'

async function readOther(file: string): Promise<AnyTopology> {
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
