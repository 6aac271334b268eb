import { TopologyError } from '../errors/topology-error.ts'
import { addressOf } from './server-address.ts'
import type { TopologyServer, TopologyShard } from './topology.ts'
import type { ServerInput } from './topology-input.ts'
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

function resolveServer(input: ServerInput, owner: string): TopologyServer {
  const { url, directUrl = url, pooler = 'direct' } = typeof input === 'string' ? { url: input } : input
  const address = addressOf(url, owner)
  addressOf(directUrl, `${owner} (directUrl)`)
  return Object.freeze({ url, address, directUrl, pooler })
}

/** Compares host, port and database, not texts: another user or parameter is still the same database. */
function refuseSharedDatabases(shards: readonly TopologyShard[]): void {
  const owners = new Map<string, string>()
  for (const shard of shards) {
    for (const [index, server] of [shard.primary, ...shard.replicas].entries()) {
      const owner = index === 0 ? `the primary of shard '${shard.id}'` : `replica ${index} of shard '${shard.id}'`
      for (const address of new Set([server.address, addressOf(server.directUrl, owner)])) {
        const first = owners.get(address)
        if (first !== undefined) throw sharedDatabase(first, owner, address)
        owners.set(address, owner)
      }
    }
  }
}

function sharedDatabase(first: string, second: string, address: string): TopologyError {
  return new TopologyError({
    code: 'DUPLICATE_SHARD_URL',
    message: `${first} and ${second} are the same database, ${address}.`,
    hint: 'Give every shard and every replica a database of its own.',
    details: { servers: [first, second], address },
  })
}
