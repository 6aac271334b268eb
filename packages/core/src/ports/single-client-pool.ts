import type { PostgresPool, PostgresPoolClient } from 'kysely'
import type { PgClient } from './pg-client.ts'

/**
 * A Kysely pool of exactly one client that it does not own: whoever asks second waits, so two transactions never mix,
 * and ending the pool leaves the client open. Kysely's own driver then runs on it unchanged.
 */
export class SingleClientPool implements PostgresPool {
  readonly options = {}
  readonly #client: PgClient
  #tail: Promise<void> = Promise.resolve()

  constructor(client: PgClient) {
    this.#client = client
  }

  async connect(): Promise<PostgresPoolClient> {
    const before = this.#tail
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#tail = before.then(() => promise)
    await before
    return lend(this.#client, resolve)
  }

  async end(): Promise<void> {
    await this.#tail
  }
}

function lend(client: PgClient, release: () => void): PostgresPoolClient {
  const query = (sql: string, parameters?: readonly unknown[]) => client.query(sql, parameters && [...parameters])
  // Kysely's type also has an overload for cursors, which it uses only with a cursor class configured: never here.
  return { query: query as unknown as PostgresPoolClient['query'], release }
}
