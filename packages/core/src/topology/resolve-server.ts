import { addressOf } from './server-address.ts'
import type { TopologyServer } from './topology.ts'
import type { ServerInput } from './topology-input.ts'

/** @throws TopologyError INVALID_SHARD_URL */
export function resolveServer(input: ServerInput, owner: string): TopologyServer {
  const given = typeof input === 'string' ? { url: input } : input
  const { url, directUrl = url, pooler = 'direct', preparedStatements, weight = 1 } = given
  const address = addressOf(url, owner)
  addressOf(directUrl, `${owner} (directUrl)`)
  return withHiddenUrls({ address, pooler, preparedStatements, weight }, { url, directUrl })
}

/** The URLs carry passwords: not enumerable, so that no log, no JSON and no failing test shows them. */
function withHiddenUrls(
  shown: Omit<TopologyServer, 'url' | 'directUrl'>,
  hidden: Pick<TopologyServer, 'url' | 'directUrl'>,
): TopologyServer {
  return Object.freeze(
    Object.defineProperties(shown, { url: { value: hidden.url }, directUrl: { value: hidden.directUrl } }),
  ) as TopologyServer
}
