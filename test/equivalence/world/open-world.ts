import type { TableName } from './columns.ts'
import { type AnyKysely, type Database, kyselyAt, resetSql } from './database.ts'
import { filledSql, rowSql } from './filled-sql.ts'
import type { WorldRouter } from './schema.ts'
import type { World } from './world.ts'
import { confinedSql } from './world-sql.ts'

/** A world in its databases, with a router over the shards. */
export class OpenWorld implements AsyncDisposable {
  readonly world: World
  readonly router: WorldRouter
  readonly oracle: AnyKysely
  readonly #databases: readonly Database[]
  /** Puts other rows into the tables. */
  readonly refill: (rows: World['rows']) => Promise<void>
  #confined: AnyKysely | undefined

  constructor(
    world: World,
    router: WorldRouter,
    oracle: AnyKysely,
    databases: readonly Database[],
    refill: OpenWorld['refill'],
  ) {
    this.refill = refill
    this.world = world
    this.router = router
    this.oracle = oracle
    this.#databases = databases
  }

  /** The one database as a single key sees it: views in front of the tables of its family. */
  async confined(key: string | number): Promise<AnyKysely> {
    const [one] = this.#databases
    await one?.pool.query(`drop schema if exists confined cascade; ${confinedSql(['t', 'u', 'x', 'p', 'c', 'e'], key)}`)
    this.#confined ??= kyselyAt(one?.url ?? '', 'confined,public', this.world)
    return this.#confined
  }

  /** Puts the first data back in the one database. */
  async resetOne(): Promise<void> {
    await this.#databases[0]?.pool.query(resetSql)
  }

  /** Puts the first data back everywhere. */
  async reset(): Promise<void> {
    await Promise.all(this.#databases.map(({ pool }) => pool.query(resetSql)))
  }

  /** A table's rows as sorted text: of the one database, and of each shard. */
  async contents(table: TableName): Promise<{ oracle: string[]; shards: string[][] }> {
    const [oracle = [], ...shards] = await this.#eachRow(table, rowSql(table))
    return { oracle, shards }
  }

  /** What PostgreSQL has filled into a table's rows, of the one database and of each shard. */
  async filled(table: TableName): Promise<{ oracle: string[]; shards: string[][] }> {
    const [oracle = [], ...shards] = await this.#eachRow(table, filledSql(table))
    return { oracle, shards }
  }

  async #eachRow(table: TableName, expression: string): Promise<string[][]> {
    return await Promise.all(
      this.#databases.map(async ({ pool }) => {
        const { rows } = await pool.query<{ row: string }>(`select (${expression})::text as row from ${table} as q`)
        return rows.map(({ row }) => row).sort()
      }),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.router.close()
    await this.oracle.destroy()
    await this.#confined?.destroy()
  }
}
