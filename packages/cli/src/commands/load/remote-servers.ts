import { type AnyTopology, isCitus, splitHosts, type TopologyServer } from '@shardwright/core'

/** The hosts of a topology that are not this machine, so that nobody loads another's servers by mistake. */
export function remoteServers(topology: AnyTopology): readonly string[] {
  const urls = serversOf(topology).flatMap(({ url, directUrl }) => [url, directUrl])
  const hosts = urls.flatMap(splitHosts).flatMap(hostsOf)
  return [...new Set(hosts)].filter((host) => !isLoopback(host))
}

/** Nodes of a Citus cluster that are reached by their own names are on its network, not on ours. */
function serversOf(topology: AnyTopology): readonly TopologyServer[] {
  if (isCitus(topology)) return [topology.coordinator, ...topology.nodes.values()]
  return topology.shards.flatMap(({ primary, replicas }) => [primary, ...replicas])
}

/** As the driver reads them: a `host` of the query goes before that of the URL, PGHOST stands in for none. */
function hostsOf(url: string): readonly string[] {
  const parsed = new URL(url)
  const named = ['host', 'hostaddr'].flatMap((name) => parsed.searchParams.getAll(name)).filter((host) => host !== '')
  if (named.length > 0) return named
  return [parsed.hostname === '' ? (process.env.PGHOST ?? 'localhost') : decodeURIComponent(parsed.hostname)]
}

function isLoopback(host: string): boolean {
  // A path is a socket of this machine.
  if (host.startsWith('/')) return true
  const bare = host.toLowerCase().replace(/^\[|\]$/g, '')
  return bare === 'localhost' || bare === '::1' || /^127(?:\.\d{1,3}){3}$/.test(bare)
}
