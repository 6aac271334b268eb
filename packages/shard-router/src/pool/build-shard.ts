import type { TopologyServer, TopologyShard } from '@shardwright/core'
import type { Client } from 'pg'
import { CommitMode } from './commit-mode.ts'
import type { ConnectionBudget } from './connection-budget.ts'
import { NameGeneration } from './name-generation.ts'
import type { ResolvedPoolOptions } from './pool-options.ts'
import { Backends } from './pooler-check.ts'
import { Replica } from './replica.ts'
import { ReplicaMonitor } from './replica-monitor.ts'
import { ReplicaSet } from './replica-set.ts'
import { Server } from './server.ts'
import { type ServerAddress, serverAddresses } from './server-address.ts'
import type { ServerContext } from './server-context.ts'
import { sessionSettings } from './session-settings.ts'
import { ShardLineage, verifySession } from './session-verifier.ts'
import { ShardServers } from './shard-servers.ts'

/** Puts the servers of one shard together; opens nothing. */
export function buildShard(
  topologyId: string,
  shard: TopologyShard,
  options: ResolvedPoolOptions,
  epoch: () => number,
  budget: ConnectionBudget | undefined,
): ShardServers {
  const names = new NameGeneration()
  const commits = new CommitMode()
  const { gate, admit } = options
  const replicaAddresses = shard.replicas.flatMap((replica) => addressesOf(replica, options))
  const more = (options.candidates[shard.id] ?? []).flatMap((url) => serverAddresses(url))
  const candidates = distinct([...addressesOf(shard.primary, options), ...more, ...replicaAddresses])
  const lineage = new ShardLineage(shard.id, topologyId, options.identity, candidates)
  const serverAt = (role: ServerContext['role'], address: ServerAddress): Server => {
    const context: ServerContext = Object.freeze({
      shard: shard.id,
      role,
      address,
      session: sessionSettings(options.timeZone),
      types: options.types,
      clock: options.clock,
      telemetry: options.telemetry,
      tellParameters: options.tellParameters,
      connectTimeoutMs: options.connectTimeoutMs,
      closeTimeoutMs: options.closeTimeoutMs,
      applicationName: options.applicationName,
      backends: new Backends(),
      names,
      commits,
      budget: budget?.share(),
      checkCurrent: gate === undefined ? undefined : (sent?: boolean) => gate.check(shard.id, sent),
      admit: admit && ((client: Client) => admit(shard.id, client)),
    })
    const settings = { ...options, size: role === 'primary' ? options.size : options.replicaSize }
    return new Server(context, settings, (session) => verifySession(context, lineage, session))
  }
  return new ShardServers(
    { reads: options.replicas, retry: options.retry, clock: options.clock, telemetry: options.telemetry, epoch },
    lineage,
    (address) => serverAt('primary', address),
    (primary, promoted) => {
      const replicas = replicaAddresses.map(
        (address) =>
          new Replica(serverAt('replica', address), options.replicas.weights[address.label] ?? address.weight),
      )
      return new ReplicaSet(
        replicas,
        new ReplicaMonitor(replicas, options.replicas, primary, promoted),
        options.replicas,
      )
    },
  )
}

function addressesOf(server: TopologyServer, options: ResolvedPoolOptions): readonly ServerAddress[] {
  const { url, directUrl, pooler, preparedStatements, weight } = server
  return serverAddresses({
    url,
    directUrl,
    pooler,
    preparedStatements: preparedStatements ?? options.preparedStatements,
    weight,
  })
}

function distinct(addresses: readonly ServerAddress[]): readonly ServerAddress[] {
  return [...new Map(addresses.map((address) => [address.url, address])).values()]
}
