import type { Telemetry } from '@shardwright/core'
import { type CitusCluster, type CitusDatabase, citusFromEnvironment } from '@shardwright/local-cluster'
import { createShardRouter } from '@shardwright/shard-router'
import { keyOf, type TableName, tableNames } from './columns.ts'
import { createStatements, type Database, databaseAt, fill, kyselyAt } from './database.ts'
import { OpenWorld } from './open-world.ts'
import { schema } from './schema.ts'
import { typedValues } from './typed-values.ts'
import type { World } from './world.ts'
import type { WorldServers } from './world-servers.ts'

/** A database that Citus distributes, and a plain one on the coordinator's server with the same rows. */
export class CitusDatabases implements WorldServers {
  readonly engine = 'citus'
  readonly postgres: number
  readonly #citus: CitusCluster
  readonly #database: CitusDatabase
  readonly #cluster: Database
  readonly #oracle: Database

  private constructor(citus: CitusCluster, database: CitusDatabase, oracle: Database, postgres: number) {
    this.#citus = citus
    this.#database = database
    this.#cluster = databaseAt(database.url)
    this.#oracle = oracle
    this.postgres = postgres
  }

  static async start(): Promise<CitusDatabases> {
    const citus = await citusFromEnvironment()
    const database = await citus.createDatabase()
    const oracle = databaseAt(database.plainUrl)
    const { rows } = await oracle.pool.query("select current_setting('server_version_num')::int / 10000 as major")
    return new CitusDatabases(citus, database, oracle, rows[0].major)
  }

  async open(world: World, telemetry: Telemetry): Promise<OpenWorld> {
    // DDL takes locks on every node, which two of them at a time may want of one another.
    for (const statement of createStatements(world)) await this.#cluster.pool.query(statement)
    for (const statement of distributeStatements(world)) await this.#cluster.pool.query(statement)
    await this.#oracle.pool.query(createStatements(world).join('; '))
    await this.#refill(world)
    for (const { pool } of [this.#oracle, this.#cluster]) await pool.query('analyze')
    const router = createShardRouter({
      schema,
      topology: this.#database.topologyInput(),
      telemetry,
      ...(world.typed ? { pool: { types: typedValues } } : {}),
    })
    await router.ready()
    const oracle = kyselyAt(this.#oracle.url, 'public', world)
    return new OpenWorld(world, router, oracle, [this.#oracle, this.#cluster], (rows) =>
      this.#refill({ ...world, rows }),
    )
  }

  async #refill({ rows }: World): Promise<void> {
    for (const { pool } of [this.#oracle, this.#cluster]) await fill(pool, rows)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { pool } of [this.#oracle, this.#cluster]) await pool.end()
    await this.#citus.stop()
  }
}

/** As `schema` says, with as many shards as the world has. */
function distributeStatements({ shards }: World): string[] {
  const statement = (table: TableName, name: string): string[] => {
    const key = keyOf[table]
    if (!key) return table === 'r' || table === 'q' ? [`select create_reference_table('${name}')`] : []
    const first = key.family === 'k' ? 'public.t' : 'public.w'
    const placed = name === first ? `colocate_with => 'none', shard_count => ${shards}` : `colocate_with => '${first}'`
    return [`select create_distributed_table('${name}', '${key.column}', ${placed})`]
  }
  return ['public', 'seed'].flatMap((own) => tableNames.flatMap((table) => statement(table, `${own}.${table}`)))
}
