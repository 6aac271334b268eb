import type { Fleet, FleetConnection } from '@shardwright/core'
import { gidName } from './gid.ts'

/** The shards that answer, by the names that gids use, and those that do not. */
export interface OpenShards extends AsyncDisposable {
  readonly connections: ReadonlyMap<string, FleetConnection>
  readonly unreachable: readonly { readonly shard: string; readonly error: unknown }[]
  /** Names of all shards of the fleet, reachable or not. */
  readonly names: ReadonlySet<string>
}

/** Connects to every shard that answers. */
export async function openShards(fleet: Fleet, applicationName: string, signal?: AbortSignal): Promise<OpenShards> {
  const options = { applicationName, ...(signal ? { signal } : {}) }
  const results = await Promise.allSettled(fleet.shards.map((shard) => shard.connect(options)))
  const connections = new Map<string, FleetConnection>()
  const unreachable: { shard: string; error: unknown }[] = []
  results.forEach((result, index) => {
    const shard = fleet.shards[index]!.id
    if (result.status === 'fulfilled') connections.set(gidName(shard), result.value)
    else unreachable.push({ shard, error: result.reason })
  })
  return {
    connections,
    unreachable,
    names: new Set(fleet.shards.map(({ id }) => gidName(id))),
    async [Symbol.asyncDispose]() {
      await Promise.allSettled([...connections.values()].map((connection) => connection.release()))
    },
  }
}
