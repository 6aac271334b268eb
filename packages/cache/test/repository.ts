import { type Commit, type CommitScope, commitScopeSymbol, defineRepository, type ShardKey } from '@shardwright/core'
import {
  CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from 'kysely'
import pg from 'pg'

export interface Database {
  wallets: { festival_id: ShardKey<string>; id: string; balance: string; version: number }
}

export const walletRepository = defineRepository<Database>()('wallets', {
  id: ['festival_id', 'id'],
  key: 'festival_id',
})

export const createWallets = `create table wallets (festival_id text, id uuid, balance numeric not null, version int not null,
  primary key (festival_id, id))`

interface Frame {
  readonly name: string | undefined
  readonly commits: ((commit: Commit) => void | Promise<void>)[]
  readonly rollbacks: (() => void | Promise<void>)[]
}

/** A connection that tells its transaction's commit as a shard router's does; everything else is plain PostgreSQL. */
class ScopedConnection implements DatabaseConnection {
  readonly client: pg.PoolClient
  readonly #frames: Frame[] = []

  constructor(client: pg.PoolClient) {
    this.client = client
  }

  get [commitScopeSymbol](): CommitScope | undefined {
    const top = this.#frames.at(-1)
    if (!top) return undefined
    return {
      wrote: true,
      afterCommit: (hook) => void top.commits.push(hook),
      afterRollback: (hook) => void top.rollbacks.push(hook),
    }
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const savepoint = /^savepoint "?(\w+)/i.exec(query.sql)?.[1]
    const rollbackTo = /^rollback to(?: savepoint)? "?(\w+)/i.exec(query.sql)?.[1]
    const result = await this.client.query(query.sql, [...query.parameters])
    if (savepoint) this.#frames.push({ name: savepoint, commits: [], rollbacks: [] })
    if (rollbackTo) await this.#dropTo(rollbackTo)
    const affected = result.command === 'SELECT' ? {} : { numAffectedRows: BigInt(result.rowCount ?? 0) }
    return { rows: result.rows as R[], ...affected }
  }

  // biome-ignore lint/correctness/useYield: the port demands it; no test streams
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('no streams here')
  }

  async begin(): Promise<void> {
    await this.client.query('begin')
    this.#frames.push({ name: undefined, commits: [], rollbacks: [] })
  }

  async commit(): Promise<void> {
    await this.client.query('commit')
    for (const frame of this.#frames.splice(0)) for (const hook of frame.commits) await hook({ tokens: [] })
  }

  async rollback(): Promise<void> {
    await this.client.query('rollback')
    for (const frame of this.#frames.splice(0)) for (const hook of frame.rollbacks) await hook()
  }

  async #dropTo(name: string): Promise<void> {
    const at = this.#frames.findLastIndex((frame) => frame.name === name)
    for (const frame of this.#frames.splice(at)) for (const hook of frame.rollbacks) await hook()
    this.#frames.push({ name, commits: [], rollbacks: [] })
  }
}

class ScopedDriver implements Driver {
  readonly #pool: pg.Pool
  readonly #connections = new WeakMap<pg.PoolClient, ScopedConnection>()

  constructor(pool: pg.Pool) {
    this.#pool = pool
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    const client = await this.#pool.connect()
    const connection = this.#connections.get(client) ?? new ScopedConnection(client)
    this.#connections.set(client, connection)
    return connection
  }

  async beginTransaction(connection: ScopedConnection): Promise<void> {
    await connection.begin()
  }

  async commitTransaction(connection: ScopedConnection): Promise<void> {
    await connection.commit()
  }

  async rollbackTransaction(connection: ScopedConnection): Promise<void> {
    await connection.rollback()
  }

  async savepoint(connection: ScopedConnection, name: string): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw(`savepoint "${name}"`))
  }

  async rollbackToSavepoint(connection: ScopedConnection, name: string): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw(`rollback to savepoint "${name}"`))
  }

  async releaseSavepoint(connection: ScopedConnection, name: string): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw(`release savepoint "${name}"`))
  }

  async releaseConnection(connection: ScopedConnection): Promise<void> {
    connection.client.release()
  }

  async destroy(): Promise<void> {
    await this.#pool.end()
  }
}

/** Kysely on one database whose transactions carry a commit scope. */
export function scopedKysely<T>(url: string, max = 10): Kysely<T> {
  const pool = new pg.Pool({ connectionString: url, max })
  pool.on('error', () => undefined)
  return new Kysely<T>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new ScopedDriver(pool),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  })
}
