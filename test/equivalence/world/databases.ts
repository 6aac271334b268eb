import {
  defineSchema,
  defineTopology,
  locate,
  reference,
  sharded,
  single,
  type Telemetry,
  type Topology,
} from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { createShardRouter } from '@shardwright/shard-router'
import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { keyOf, sqlTypes, type TableName, tableNames, tables } from './columns.ts'
import { typedValues } from './typed-values.ts'
import { shardCounts, type World } from './world.ts'

/** Kysely over tables that only the generator knows. */
export type AnyKysely = Kysely<Record<string, Record<string, unknown>>>

interface Database {
  readonly url: string
  readonly pool: pg.Pool
}

const schema = defineSchema<Record<string, never>>()({
  tables: {
    t: sharded('k'),
    u: sharded('k'),
    x: sharded('k'),
    p: sharded('owner', { family: 'k' }),
    w: sharded('h'),
    r: reference(),
    o: single('s1'),
  },
} as never)

export type WorldRouter = ReturnType<typeof createShardRouter<typeof schema>>

/** The databases of all shard counts on one server, and one with all the data. */
export class Databases implements AsyncDisposable {
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
    const create = async (name: string): Promise<Database> => {
      const url = await server.createDatabase(name, { icu: 'und' })
      return { url, pool: new pg.Pool({ connectionString: url, max: 2, options: '-c search_path=public' }) }
    }
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
      const client = await pool.connect()
      try {
        await client.query(createSql(world))
        await fill(client, rows)
        await client.query('analyze')
      } finally {
        client.release()
      }
    })
  }

  /** Other rows in the tables that are there. */
  async refill(world: World): Promise<void> {
    await this.#each(world, async ({ pool }, rows) => {
      const client = await pool.connect()
      try {
        await fill(client, rows)
      } finally {
        client.release()
      }
    })
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
    const options = '-c TimeZone=UTC -c search_path=public'
    const oracle = new Kysely<Record<string, Record<string, unknown>>>({
      dialect: new PostgresDialect({
        pool: new pg.Pool({ connectionString: this.#oracle.url, max: 2, options, types }),
      }),
    })
    await router.ready()
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

/** DDL of the world: the same on every database. At first all tables and columns. */
export function worldSql(
  world: Pick<World, 'keyType'>,
  named: readonly TableName[] = tableNames,
  shown?: (table: TableName) => readonly string[],
): string {
  const creates = named.map((table) => {
    const own = shown?.(table)
    const columns = tables[table]
      .filter(({ name }) => own?.includes(name) ?? true)
      .map(({ name, kind }) => {
        const type = kind === 'key' ? `${world.keyType} not null` : name === 'h' ? 'int not null' : sqlTypes[kind]
        return `${name} ${type}`
      })
    const key = keyOf[table]
    return `create table ${table} (${columns.join(', ')}, primary key (${key ? `${key.column}, ` : ''}id));`
  })
  return [
    "create collation ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);",
    "create type mood as enum ('sad', 'ok', 'happy');",
    ...creates,
  ].join('\n')
}

type PlacedRows = Readonly<Record<TableName, readonly unknown[]>>

function rowsOfShard(world: World, topology: Topology, index: number): PlacedRows {
  const own = (table: TableName): unknown[] =>
    world.rows[table].filter((row) => {
      if (table === 'r') return true
      const key = keyOf[table]
      if (!key) return index === 0
      const family = { family: key.family, type: key.family === 'h' ? ('int4' as const) : world.keyType }
      return locate(topology, { ...family, value: row[key.column] as string | number }).shard === index
    })
  return Object.fromEntries(tableNames.map((table) => [table, own(table)])) as unknown as PlacedRows
}

function createSql(world: World): string {
  const schemas = ['seed', 'confined', 'shardwright', 'public'].map((name) => `drop schema if exists ${name} cascade`)
  const seeds = tableNames.map((table) => `create table seed.${table} (like public.${table})`)
  return [...schemas, 'create schema public', worldSql(world), 'create schema seed', ...seeds].join('; ')
}

/** The rows, and a copy of them to put back after a write. */
async function fill(client: pg.PoolClient, rows: PlacedRows): Promise<void> {
  for (const table of tableNames) {
    await client.query(`delete from seed.${table}; delete from public.${table}`)
    await client.query(`insert into seed.${table} select * from jsonb_populate_recordset(null::public.${table}, $1)`, [
      JSON.stringify(rows[table]),
    ])
    await client.query(`insert into public.${table} select * from seed.${table}`)
  }
}

const resetSql = tableNames
  .map((table) => `delete from ${table}; insert into ${table} select * from seed.${table}`)
  .join('; ')

/** Views that show the rows of one key. */
export function confinedSql(named: readonly TableName[], key: string | number): string {
  const views = named
    .filter((table) => keyOf[table]?.family === 'k')
    .map(
      (table) =>
        `create view confined.${table} as select * from public.${table} where ${keyOf[table]?.column} = ${literal(key)}`,
    )
  return ['create schema confined', ...views].join('; ')
}

function literal(key: string | number): string {
  return typeof key === 'number' ? String(key) : `'${key.replaceAll("'", "''")}'`
}

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
    await one?.pool.query(`drop schema if exists confined cascade; ${confinedSql(['t', 'u', 'x', 'p'], key)}`)
    this.#confined ??= new Kysely({
      dialect: new PostgresDialect({
        pool: new pg.Pool({
          connectionString: one?.url ?? '',
          max: 2,
          types: this.world.typed ? typedValues : undefined,
          options: '-c TimeZone=UTC -c search_path=confined,public',
        }),
      }),
    })
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

  /** Every table's rows as sorted text: of the one database, and of each shard. */
  async contents(table: TableName): Promise<{ oracle: string[]; shards: string[][] }> {
    const [oracle = [], ...shards] = await Promise.all(
      this.#databases.map(async ({ pool }) => {
        const { rows } = await pool.query<{ row: string }>(`select (q.*)::text as row from ${table} q`)
        return rows.map(({ row }) => row).sort()
      }),
    )
    return { oracle, shards }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.router.close()
    await this.oracle.destroy()
    await this.#confined?.destroy()
  }
}
