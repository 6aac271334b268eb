import { Kysely, PostgresDialect } from 'kysely'
import { endClient } from './end-client.ts'
import type { FleetConnection } from './fleet.ts'
import type { PgClient, PgResult } from './pg-client.ts'
import { SingleClientPool } from './single-client-pool.ts'

/** A FleetConnection over one client of the driver, which it owns. */
export class ClientConnection implements FleetConnection {
  readonly shardId: string
  readonly client: PgClient
  readonly #pool: SingleClientPool
  #released: Promise<void> | undefined

  constructor(shardId: string, client: PgClient) {
    this.shardId = shardId
    this.client = client
    this.#pool = new SingleClientPool(client)
  }

  async query<R = Record<string, unknown>>(sql: string, parameters: readonly unknown[] = []): Promise<PgResult<R>> {
    return await this.client.query<R>(sql, [...parameters])
  }

  async script(sql: string): Promise<void> {
    await this.client.query(sql)
  }

  kysely<Database>(): Kysely<Database> {
    return new Kysely<Database>({ dialect: new PostgresDialect({ pool: this.#pool }) })
  }

  release(): Promise<void> {
    this.#released ??= endClient(this.client)
    return this.#released
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release()
  }
}
