import { TopologyError } from '../errors/topology-error.ts'
import { resolveServer } from './resolve-server.ts'
import { addressesOf } from './server-address.ts'
import type { TopologyServer, TopologyShard } from './topology.ts'
import type { TopologyFields } from './topology-shape.ts'

/** Checks the shards: at least one, ids and databases all different, addresses readable. */
export function resolveShards(inputs: TopologyFields['shards']): readonly TopologyShard[] {
  if (inputs.length === 0) {
    throw new TopologyError({
      code: 'NO_SHARD',
      message: 'The topology has no shard.',
      hint: "Name at least one: { id: 'shard-1', primary: 'postgres://...' }.",
    })
  }
  refuseDuplicateIds(inputs.map((input) => input.id))
  const shards = inputs.map(({ id, primary, replicas }) =>
    Object.freeze({
      id,
      primary: resolveServer(primary, `the primary of shard '${id}'`),
      replicas: Object.freeze(
        replicas.map((replica, index) => resolveServer(replica, `replica ${index + 1} of shard '${id}'`)),
      ),
    }),
  )
  refuseSharedDatabases(shards)
  return Object.freeze(shards)
}

function refuseDuplicateIds(ids: readonly string[]): void {
  const twice = ids.find((id, index) => ids.indexOf(id) !== index)
  if (twice === undefined) return
  throw new TopologyError({
    code: 'DUPLICATE_SHARD',
    message: `Two shards are called '${twice}'.`,
    hint: 'Give every shard an id of its own.',
    details: { shard: twice },
  })
}

/** Compares host, port and database, not texts: another user or parameter is still the same database. */
function refuseSharedDatabases(shards: readonly TopologyShard[]): void {
  const owners = new Map<string, Owner>()
  for (const shard of shards) {
    for (const [index, server] of [shard.primary, ...shard.replicas].entries()) {
      const name = index === 0 ? `the primary of shard '${shard.id}'` : `replica ${index} of shard '${shard.id}'`
      const owner: Owner = { name, shard: shard.id, candidate: addressesOf(server.url, name).length > 1 }
      for (const address of addressesOfServer(server, name)) {
        const first = owners.get(address)
        if (first && !mayShare(first, owner)) throw sharedDatabase(first.name, name, address)
        if (!first) owners.set(address, owner)
      }
    }
  }
}

interface Owner {
  readonly name: string
  readonly shard: string
  /** One of several hosts that may be the primary. */
  readonly candidate: boolean
}

/** A replica is also named among the candidates for its own shard's primary: that is what it may become. */
function mayShare(first: Owner, second: Owner): boolean {
  return first.shard === second.shard && first.candidate
}

function addressesOfServer(server: TopologyServer, owner: string): ReadonlySet<string> {
  return new Set([...addressesOf(server.url, owner), ...addressesOf(server.directUrl, owner)])
}

function sharedDatabase(first: string, second: string, address: string): TopologyError {
  return new TopologyError({
    code: 'DUPLICATE_SHARD_URL',
    message: `${first} and ${second} are the same database, ${address}.`,
    hint: 'Give every shard and every replica a database of its own.',
    details: { servers: [first, second], address },
  })
}
