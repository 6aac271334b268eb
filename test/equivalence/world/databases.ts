import { defineTopology, locate, type Telemetry, type Topology } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { createShardRouter } from '@shardwright/shard-router'
import { keyOf, type TableName, tableNames } from './columns.ts'
import { boundedDatabase, createStatements, type Database, fill, kyselyAt, type PlacedRows } from './database.ts'
import { OpenWorld } from './open-world.ts'
import { schema } from './schema.ts'
import { typedValues } from './typed-values.ts'
import { shardCounts, type World } from './world.ts'
import type { WorldServers } from './world-servers.ts'

/** The databases of all shard counts on one server, and one with all the data. */
export class Databases implements WorldServers {
  readonly engine = 'hash'
  readonly postgres = 18
  readonly #cluster: LocalCluster
  readonly #shards: ReadonlyMap<number, readonly Database[]>
  readonly #oracle: Database

  private constructor(cluster: LocalCluster, shards: ReadonlyMap<number, readonly Database[]>, oracle: Database) {
    this.#cluster = cluster
    this.#shards = shards
    this.#oracle = oracle
  }

  static async start(counts: readonly number[] = shardCounts): Promise<Databases> {
    const cluster = await startLocalCluster({ shards: 1, databasePerShard: true, icu: true })
    const server = cluster.shards[0]
    if (!server) throw new Error('the cluster has no server')
    const create = async (name: string) => boundedDatabase(await server.createDatabase(name, { icu: 'und' }))
    const shards = new Map<number, Database[]>()
    for (const count of counts) {
      const own: Database[] = []
      for (let i = 0; i < count; i++) own.push(await create(`s${count}_${i + 1}`))
      shards.set(count, own)
    }
    return new Databases(cluster, shards, await create('everything'))
  }

  /** Puts a world into its databases and makes a router over the shards. */
  async open(world: World, telemetry: Telemetry): Promise<OpenWorld> {
    await this.load(world)
    return await this.connect(world, telemetry)
  }

  async load(world: World): Promise<void> {
    await this.#each(world, async ({ pool }, rows) => {
      await pool.query(createStatements(world).join('; '))
      await fill(pool, rows)
      await pool.query('analyze')
    })
  }

  /** Other rows in the tables that are there. */
  async refill(world: World): Promise<void> {
    await this.#each(world, ({ pool }, rows) => fill(pool, rows))
  }

  /** The one database with all rows, and each shard with its own. */
  async #each(world: World, work: (database: Database, rows: PlacedRows) => Promise<void>): Promise<void> {
    const topology = this.#topology(world)
    await Promise.all([
      work(this.#oracle, world.rows),
      ...this.#shardsOf(world).map((shard, index) => work(shard, rowsOfShard(world, topology, index))),
    ])
  }

  /** `create`: the router to test. */
  async connect(world: World, telemetry: Telemetry, create = createShardRouter): Promise<OpenWorld> {
    const types = world.typed ? typedValues : undefined
    const router = create({
      schema,
      topology: this.#topology(world),
      telemetry,
      ...(types ? { pool: { types } } : {}),
    })
    await router.ready()
    const oracle = kyselyAt(this.#oracle.url, 'public', world)
    return new OpenWorld(world, router, oracle, [this.#oracle, ...this.#shardsOf(world)], (rows) =>
      this.refill({ ...world, rows }),
    )
  }

  #shardsOf({ shards }: World): readonly Database[] {
    const found = this.#shards.get(shards)
    if (!found) throw new Error(`no databases for ${shards} shards`)
    return found
  }

  #topology(world: World) {
    return defineTopology({
      id: 'equivalence',
      hash: world.hash,
      shards: this.#shardsOf(world).map(({ url }, index) => ({ id: `s${index + 1}`, primary: url })),
      pins: world.pins.map(({ key, shard }) => ({ family: 'k', key, shard: `s${shard + 1}` })),
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { pool } of [this.#oracle, ...[...this.#shards.values()].flat()]) await pool.end()
    await this.#cluster.stop()
  }
}

function rowsOfShard(world: World, topology: Topology, index: number): PlacedRows {
  const own = (table: TableName): unknown[] =>
    world.rows[table].filter((row) => {
      if (table === 'r' || table === 'q') return true
      const key = keyOf[table]
      if (!key) return index === 0
      const family = { family: key.family, type: key.family === 'h' ? ('int4' as const) : world.keyType }
      return locate(topology, { ...family, value: row[key.column] as string | number }).shard === index
    })
  return Object.fromEntries(tableNames.map((table) => [table, own(table)])) as unknown as PlacedRows
}
