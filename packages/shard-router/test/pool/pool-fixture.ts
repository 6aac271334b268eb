import { defineTopology, type Topology } from '@shardwright/core'
import type { LocalCluster } from '@shardwright/local-cluster'
import type { Statement } from '../../src/pool/shard-pool.ts'

/** The topology of a local cluster's shards. */
export function topologyOf(cluster: LocalCluster, id = 'pool-test'): Topology {
  return defineTopology({ id, hash: 'postgres', ...cluster.topologyInput() })
}

export function read(sql: string, ...parameters: unknown[]): Statement {
  return { sql, parameters, access: 'read', rows: 'objects' }
}

export function write(sql: string, ...parameters: unknown[]): Statement {
  return { sql, parameters, access: 'write', rows: 'objects' }
}

export async function failureOf(promise: Promise<unknown>): Promise<Record<string, unknown> & Error> {
  try {
    await promise
  } catch (error) {
    return error as Record<string, unknown> & Error
  }
  throw new Error('it did not fail')
}
