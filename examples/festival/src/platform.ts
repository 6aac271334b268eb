import { createFleet, type Fleet } from '@shardwright/core'
import {
  definePartitions,
  type MaintenanceReport,
  maintain,
  type PartitionPolicy,
  printReport,
} from '@shardwright/partition-manager'
import { createShardRouter, type ShardRouter } from '@shardwright/shard-router'
import { Kysely, type LogEvent, PostgresDialect } from 'kysely'
import pg from 'pg'
import { type DataSet, makeDataSet } from './data/data-set.ts'
import { type Months, monthsUpTo } from './data/months.ts'
import type { Doors } from './queries/query-case.ts'
import { createTables } from './schema/create-tables.sql.ts'
import type { Database } from './schema/database.ts'
import { type FestivalSchema, schema } from './schema/schema.ts'
import type { PlatformServers } from './servers/platform-servers.ts'
import { startCitus } from './servers/start-citus.ts'
import { startShards } from './servers/start-shards.ts'

export interface PlatformOptions {
  readonly transactions: number
  readonly festivals: number
  readonly seed: number
  /** One server with a database per shard, for tests. Default: a server per shard. */
  readonly databasePerShard?: boolean
  /** Default: shards of PostgreSQL. */
  readonly engine?: 'hash' | 'citus'
}

/** Months of data; the oldest is past its time, so that retention has something to do. */
const monthsOfData = 14

/** The shards behind a router, and the one PostgreSQL that every answer is compared with. */
export class Platform implements AsyncDisposable {
  readonly data: DataSet
  readonly months: Months
  readonly router: ShardRouter<FestivalSchema>
  readonly servers: PlatformServers
  /** A fleet of one: the server that holds all the data. */
  readonly oneFleet: Fleet
  readonly onePool: pg.Pool
  readonly one: Kysely<Database>
  #log: ((event: LogEvent) => void) | undefined

  constructor(servers: PlatformServers, data: DataSet, months: Months) {
    this.servers = servers
    this.data = data
    this.months = months
    this.router = createShardRouter({
      schema,
      topology: servers.topology(data.festivals),
      log: (event) => this.#log?.(event),
    })
    const { oneUrl } = servers
    this.oneFleet = createFleet({ shards: [{ id: 'one', url: oneUrl }], Client: pg.Client })
    this.onePool = new pg.Pool({ connectionString: oneUrl, options: '-c TimeZone=UTC', max: 4 })
    this.one = new Kysely<Database>({ dialect: new PostgresDialect({ pool: this.onePool }) })
  }

  /** The router's doors. */
  get doors(): Doors {
    const { router } = this
    return { db: router.db, fanOut: router.fanOut(), forFestival: (id) => router.for({ festival_id: id }) }
  }

  /** The same doors, all of them leading to the one PostgreSQL. */
  get oneDoors(): Doors {
    const { one } = this
    return {
      db: one,
      fanOut: one,
      forFestival: () => one.$pickTables<'stands' | 'wallets' | 'transactions' | 'orders' | 'festivals' | 'users'>(),
    }
  }

  /** Runs something and gives the statements that it sent through the router. */
  async recorded<T>(work: () => Promise<T>): Promise<{ result: T; events: readonly LogEvent[] }> {
    const events: LogEvent[] = []
    this.#log = (event) => events.push(event)
    try {
      return { result: await work(), events }
    } finally {
      this.#log = undefined
    }
  }

  /** How `transactions` is partitioned; with retention once the data is in. */
  partitions(options: { readonly retention: boolean }): PartitionPolicy {
    // biome-ignore lint/suspicious/noThenProperty: the policy's own word, as in `keep 12 months, then drop`.
    const retention = { keep: '12 months', then: 'drop' } as const
    return definePartitions<Database>()({
      table: 'transactions',
      by: 'created_at',
      every: 'month',
      premake: 3,
      from: new Date(this.months.firstMs).toISOString().slice(0, 10),
      ...(options.retention ? { retention } : {}),
    })
  }

  /** Creates the tables and their partitions, on the shards and on the one PostgreSQL. Tells about the shards. */
  async createSchema(): Promise<MaintenanceReport> {
    await this.#createTables(this.oneFleet, async () => {})
    const report = await this.#createTables(this.router.fleet, (connection) => this.servers.place(connection))
    await this.router.ready()
    return report
  }

  async #createTables(fleet: Fleet, place: PlatformServers['place']): Promise<MaintenanceReport> {
    for (const shard of fleet.shards) {
      await using connection = await shard.connect()
      await connection.script(createTables)
      await place(connection)
    }
    const report = await maintain(fleet, [this.partitions({ retention: false })])
    if (report.failed > 0) throw new Error(`The partitions could not be created:\n${printReport(report)}`)
    return report
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.router.close()
    await this.one.destroy()
    await this.servers.stop()
  }
}

/** Makes the data and starts the servers; nothing is created on them yet. */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const months = monthsUpTo(new Date(), monthsOfData)
  const data = makeDataSet({ ...options, months })
  const { engine, databasePerShard = false } = options
  return new Platform(engine === 'citus' ? await startCitus() : await startShards({ databasePerShard }), data, months)
}
