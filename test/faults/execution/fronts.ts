import { defineTopology, type Topology } from '@shardwright/core'
import {
  findProgram,
  type LocalCluster,
  type LocalProxy,
  startHaproxy,
  startPgBouncer,
} from '@shardwright/local-cluster'

/** What stands in front of some shards' primaries: PgBouncer before the second, HAProxy before the third, where the machine has them. */
export class Fronts implements AsyncDisposable {
  readonly #byShard: ReadonlyMap<string, { readonly proxy: LocalProxy; readonly pooler: boolean }>

  private constructor(byShard: ReadonlyMap<string, { readonly proxy: LocalProxy; readonly pooler: boolean }>) {
    this.#byShard = byShard
  }

  static async start(cluster: LocalCluster): Promise<Fronts> {
    const [, second, third] = cluster.shards
    const found = new Map<string, { proxy: LocalProxy; pooler: boolean }>()
    if (second && (await findProgram('pgbouncer'))) {
      const proxy = await startPgBouncer({ target: second.url, poolMode: 'transaction' })
      found.set(second.id, { proxy, pooler: true })
    }
    if (third && (await findProgram('haproxy'))) {
      found.set(third.id, { proxy: await startHaproxy({ targets: [third.url] }), pooler: false })
    }
    return new Fronts(found)
  }

  get shards(): readonly string[] {
    return [...this.#byShard.keys()]
  }

  of(shard: string): LocalProxy | undefined {
    return this.#byShard.get(shard)?.proxy
  }

  /** The topology of the cluster by way of the fronts. */
  topology(cluster: LocalCluster): Topology {
    const input = cluster.topologyInput()
    return defineTopology({
      id: 'faults',
      hash: 'postgres',
      ...input,
      shards: input.shards.map((shard) => {
        const front = this.#byShard.get(shard.id)
        if (front === undefined) return shard
        const pooler = front.pooler ? ('pgbouncer-transaction' as const) : ('direct' as const)
        return { ...shard, primary: { url: front.proxy.url, directUrl: cluster.shard(shard.id).url, pooler } }
      }),
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#byShard.values()].map(({ proxy }) => proxy.close()))
  }
}
