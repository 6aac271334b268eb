import { createFleet, type Fleet } from '@shardwright/core'
import { Client } from 'pg'
import { LocalClusterError } from '../errors/local-cluster-error.ts'
import type { LocalRedis } from '../redis/local-redis.ts'
import type { LocalCluster, LocalServer, LocalShard, TopologyShards } from './local-cluster.ts'

export interface RunningClusterInit {
  readonly shards: readonly LocalShard[]
  readonly redis: LocalRedis | undefined
  readonly stop: () => Promise<void>
}

/** The cluster over whichever servers it was given. */
export class RunningCluster implements LocalCluster {
  readonly shards: readonly LocalShard[]
  readonly servers: readonly LocalServer[]
  readonly redis: LocalRedis | undefined
  readonly #stop: () => Promise<void>
  #stopped: Promise<void> | undefined

  constructor(init: RunningClusterInit) {
    this.shards = Object.freeze([...init.shards])
    this.servers = Object.freeze([...new Set(init.shards.map((shard) => shard.server))])
    this.redis = init.redis
    this.#stop = init.stop
  }

  shard(id: string): LocalShard {
    const shard = this.shards.find((candidate) => candidate.id === id)
    if (shard !== undefined) return shard
    const known = this.shards.map((candidate) => candidate.id).join(', ')
    throw new LocalClusterError('LOCAL_CLUSTER_OPTIONS', `no shard ${id}; the cluster has ${known}`)
  }

  topologyInput(): TopologyShards {
    return {
      shards: this.shards.map(({ id, url, replicas }) => ({
        id,
        primary: url,
        replicas: replicas.map((replica) => replica.url),
      })),
    }
  }

  fleet(topologyId = 'local-cluster'): Fleet {
    return createFleet({ topologyId, shards: this.shards.map(({ id, url }) => ({ id, url })), Client })
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}
