import type { CompiledQuery, Kysely } from 'kysely'
import type { Cache } from '../cache/cache.ts'
import type { EntryOptions } from '../flow/entry-options.ts'

/** A select query of Kysely: what it needs to be compiled and run. */
export interface CacheableQuery<Row> {
  compile(): CompiledQuery
  execute(): Promise<Row[]>
}

/** How the rows of a query are kept. */
export interface CachedQueryOptions extends EntryOptions {
  readonly cache: Cache
  /** What kind of query it is, for statistics. Default: `query`. */
  readonly name?: string
  /** Key family and shard key, e.g. `{ festival_id: f }`; null for a query over all shards. */
  readonly key: Readonly<Record<string, unknown>> | null
}

/**
 * The rows of any query, kept by its text, its parameters, its key family and its shard key. In a transaction it bypasses
 * the cache. What ends it are its tags: a cached repository of table `wallets` invalidates `wallets:"f1"`.
 * @example
 * const stands = await cachedQuery(router.for({ festival_id: f }), (db) => db.selectFrom('stands').selectAll(), {
 *   cache, key: { festival_id: f }, tags: [`stands:${JSON.stringify(f)}`], ttlMs: 60_000,
 * })
 */
export async function cachedQuery<Database, Row>(
  db: Kysely<Database>,
  build: (db: Kysely<Database>) => CacheableQuery<Row>,
  options: CachedQueryOptions,
): Promise<Row[]> {
  const query = build(db)
  if (db.isTransaction) return await query.execute()
  const { cache, name = 'query', key, ...entry } = options
  const { sql, parameters } = query.compile()
  const rows = await cache.getOrLoad({ name, tenant: key, id: [sql, parameters] }, () => query.execute(), entry)
  // A cached array is frozen; callers sort and push what a query gave them.
  return [...rows]
}
