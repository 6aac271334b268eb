import type { ShardPool } from '@shardwright/shard-router'
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from 'kysely'

/** A Kysely on one shard's lanes that plans nothing: what the router's own work is measured against. */
export function laneKysely<Database>(pool: ShardPool, shard: number): Kysely<Database> {
  const connection = new LaneConnection(pool, shard)
  const nothing = async () => {}
  const dialect: Dialect = {
    createAdapter: () => new PostgresAdapter(),
    createQueryCompiler: () => new PostgresQueryCompiler(),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createDriver: () => ({
      init: nothing,
      acquireConnection: async () => connection,
      beginTransaction: nothing,
      commitTransaction: nothing,
      rollbackTransaction: nothing,
      releaseConnection: nothing,
      destroy: nothing,
    }),
  }
  return new Kysely<Database>({ dialect })
}

class LaneConnection implements DatabaseConnection {
  readonly #pool: ShardPool
  readonly #shard: number

  constructor(pool: ShardPool, shard: number) {
    this.#pool = pool
    this.#shard = shard
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const result = await this.#pool.execute(this.#shard, { sql, parameters, access: 'read', rows: 'objects' })
    return { rows: result.rows as R[] }
  }

  // biome-ignore lint/correctness/useYield: it is never streamed from.
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('not measured')
  }
}
