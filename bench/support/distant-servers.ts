import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { defineTopology, type Topology } from '@shardwright/core'
import type { Distance } from './distant-servers-relay.ts'

/** The servers of a topology as seen from another machine: what is sent arrives `delayMs` later, either way. */
export class DistantServers implements AsyncDisposable {
  readonly topology: Topology
  readonly #relay: Worker

  private constructor(relay: Worker, topology: Topology) {
    this.#relay = relay
    this.topology = topology
  }

  static async start({ id, hash, shards }: Topology, delayMs: number): Promise<DistantServers> {
    const servers = shards.map(({ primary }) => new URL(primary.url))
    const ports = servers.map(({ port }) => Number(port))
    const workerData: Distance = { ports, delayMs }
    const relay = new Worker(new URL('./distant-servers-relay.ts', import.meta.url), { workerData })
    const [relayed] = (await once(relay, 'message')) as [readonly number[]]
    const primaries = servers.map((server, index) => {
      server.host = `127.0.0.1:${relayed[index]}`
      return server.href
    })
    const apart = shards.map((shard, index) => ({ id: shard.id, primary: primaries[index]! }))
    return new DistantServers(relay, defineTopology({ id, hash, shards: apart }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#relay.terminate()
  }
}
