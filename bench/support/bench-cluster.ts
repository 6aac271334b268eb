import { defineSchema, defineTopology, locate, type ShardKey, sharded, type Topology } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { createShardPool, createShardRouter, type ShardPool, type ShardPoolOptions } from '@shardwright/shard-router'
import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'

export interface BenchDatabase {
  wallets: { festival_id: ShardKey<number>; id: number; owner: string; balance: string; updated_at: Date }
}

export const schema = defineSchema<BenchDatabase>()({ tables: { wallets: sharded('festival_id') } })

export const festivals = 400
export const walletsPerFestival = 50

const table = `create table wallets (festival_id int not null, id int not null, owner text not null, balance numeric not null,
  updated_at timestamptz not null default now(), primary key (festival_id, id))`

/** Four servers with the same rows under the router and under stock Kysely on a pool for each shard. */
export class BenchCluster implements AsyncDisposable {
  readonly cluster: LocalCluster
  readonly topology: Topology
  readonly stock: readonly Kysely<BenchDatabase>[]
  readonly router
  /** The router's lanes without a router. */
  readonly pool: ShardPool
  readonly #shardOf: readonly number[]

  private constructor(cluster: LocalCluster, topology: Topology, options: ShardPoolOptions) {
    this.cluster = cluster
    this.topology = topology
    this.stock = topology.shards.map((shard) => stockKysely(shard.primary.url))
    this.router = createShardRouter({ schema, topology, pool: options })
    this.pool = createShardPool(topology, options)
    this.#shardOf = Array.from(
      { length: festivals },
      (_, key) => locate(topology, { family: 'festival_id', type: 'int4', value: key }).shard,
    )
  }

  static async start(options: ShardPoolOptions = {}): Promise<BenchCluster> {
    const cluster = await startLocalCluster({ shards: 4, startTimeoutMs: 180_000, settings: { fsync: 'off' } })
    const topology = defineTopology({ id: 'bench', hash: 'postgres', ...cluster.topologyInput() })
    const bench = new BenchCluster(cluster, topology, options)
    await bench.#fill()
    await bench.router.ready()
    return bench
  }

  /** The shard of a festival, as somebody who picks the pool by hand knows it. */
  shardOf(festival: number): number {
    return this.#shardOf[festival]!
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.router.close(), this.pool.close(), ...this.stock.map((db) => db.destroy())])
    await this.cluster.stop()
  }

  async #fill(): Promise<void> {
    for (const [index, shard] of this.topology.shards.entries()) {
      const client = new pg.Client(shard.primary.url)
      await client.connect()
      await client.query(table)
      const keys = this.#shardOf.flatMap((owner, festival) => (owner === index ? [festival] : []))
      await client.query(
        `insert into wallets (festival_id, id, owner, balance)
         select f, w, 'owner ' || w, w * 1.25 from unnest($1::int[]) f, generate_series(0, $2::int - 1) w`,
        [keys, walletsPerFestival],
      )
      await client.query('vacuum analyze wallets')
      await client.end()
    }
  }
}

/** Kysely as its own documentation sets it up: a pool of ten, statements without names. */
export function stockKysely(url: string): Kysely<BenchDatabase> {
  return new Kysely<BenchDatabase>({
    dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: url, max: 10 }) }),
  })
}

/** A key for a turn, spread over festivals and wallets in the same order on every run. */
export function keyOf(turn: number): { festival: number; wallet: number } {
  const mixed = Math.imul(turn + 1, 0x9e3779b1) >>> 0
  return { festival: mixed % festivals, wallet: (mixed >>> 12) % walletsPerFestival }
}
