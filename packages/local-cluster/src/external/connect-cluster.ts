import type { LocalCluster, LocalShard } from '../cluster/local-cluster.ts'
import { RunningCluster } from '../cluster/running-cluster.ts'
import { ServerShard } from '../cluster/server-shard.ts'
import { LocalClusterError } from '../errors/local-cluster-error.ts'
import { withClient } from '../postgres/with-client.ts'
import { ExternalRedis } from './external-redis.ts'
import { ExternalServer, notControlled } from './external-server.ts'

export interface ConnectClusterOptions {
  /** In order; an id defaults to `shard-1`, `shard-2`, ... */
  readonly shards: readonly { readonly id?: string; readonly url: string; readonly replicas?: readonly string[] }[]
  readonly redisUrl?: string
}

/**
 * The interface of a local cluster over servers that already run. They are used, and neither stopped nor disturbed:
 * those calls fail with SERVER_NOT_CONTROLLED, and `stop` ends nothing.
 *
 * @throws LocalClusterError LOCAL_CLUSTER_OPTIONS, SERVER_UNREACHABLE
 * @example
 * const cluster = await connectCluster({ shards: [{ url: 'postgres://app:secret@db1:5432/festival' }] })
 */
export async function connectCluster({ shards, redisUrl }: ConnectClusterOptions): Promise<LocalCluster> {
  if (shards.length === 0) throw invalid('shards', 'names no server')
  const connected = shards.map(({ id, url, replicas }, index) =>
    externalShard(id ?? `shard-${index + 1}`, url, replicas),
  )
  if (new Set(connected.map(({ id }) => id)).size < connected.length) throw invalid('shards', 'has an id twice')
  const redis = redisUrl === undefined ? undefined : new ExternalRedis(parseUrl(redisUrl, 'redisUrl', redisProtocols))
  await Promise.all(connected.map(checkReachable))
  return new RunningCluster({ shards: connected, redis, stop: async () => {} })
}

const postgresProtocols = ['postgres:', 'postgresql:']
const redisProtocols = ['redis:', 'rediss:']

function externalShard(id: string, url: string, replicas: readonly string[] = []): LocalShard {
  const primary = parseUrl(url, `shards (${id})`, postgresProtocols)
  const database = decodeURIComponent(primary.pathname.slice(1))
  if (database === '') throw invalid(`shards (${id})`, 'has a URL without a database')
  return new ServerShard({
    id,
    database,
    server: new ExternalServer(id, primary),
    replicaServers: replicas.map((replica, index) => {
      const name = `${id}-replica-${index + 1}`
      return new ExternalServer(name, parseUrl(replica, `shards (${name})`, postgresProtocols))
    }),
    startReplica: async () => {
      throw notControlled(id, 'replicated')
    },
  })
}

/** The reason of `new URL` carries the whole text, password and all, so it is not passed on. */
function parseUrl(text: string, option: string, protocols: readonly string[]): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !protocols.includes(url.protocol)) throw invalid(option, `has no ${protocols[0]}// URL`)
  return url
}

async function checkReachable(shard: LocalShard): Promise<void> {
  for (const { id, url, server } of [shard, ...shard.replicas]) {
    try {
      await withClient(url, (client) => client.query('SELECT 1'))
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      const message = `${id} at ${server.host}:${server.port} cannot be reached: ${reason}`
      throw new LocalClusterError('SERVER_UNREACHABLE', message, { cause, details: { shard: id } })
    }
  }
}

function invalid(option: string, rule: string): LocalClusterError {
  return new LocalClusterError('LOCAL_CLUSTER_OPTIONS', `option ${option} ${rule}`, { details: { option } })
}
