import {
  type BoundRepository,
  type CommitToken,
  commitScopeOf,
  currentReadContext,
  type FindOptions,
  ReadContext,
  type Repository,
  type RepositoryTypes,
  runInReadContext,
} from '@shardwright/core'
import type { Kysely } from 'kysely'
import { CacheError } from '../errors/cache-error.ts'
import type { ResolvedEntryOptions } from '../flow/entry-options.ts'
import type { Load } from '../flow/load-context.ts'
import type { CachedOptions, ResolvedCachedOptions } from './cached-options.ts'
import { resolveCachedOptions } from './cached-options.ts'
import { RowKeys } from './row-keys.ts'

type Row = Readonly<Record<string, unknown>>

/**
 * A repository of the same type whose reads come from the cache. Inside a transaction it neither reads nor fills the
 * cache; writes invalidate at the commit, never before it, and not at all when rolled back.
 * @throws CacheError CACHE_OPTIONS; COMMIT_SCOPE_REQUIRED for writes in a transaction that is not a shard router's
 * @example
 * const wallets = cached(walletRepository, { cache, strategy: 'write-through', db: router.db, ttlMs: 60_000 })
 * await wallets.with(router.db).findById({ festival_id: 'f1', id: 'w1' })
 */
export function cached<R extends RepositoryTypes>(repository: Repository<R>, options: CachedOptions): Repository<R> {
  const resolved = resolveCachedOptions(repository.table, options)
  const { table, idColumns, keyColumn } = repository
  const keys = new RowKeys({ name: resolved.name, idColumns, keyColumn })
  const entry = resolved.cache.resolve(resolved.entry)
  const init: CachedInit = { repository: repository as unknown as Repository, options: resolved, keys, entry }
  resolved.cache.outbox?.register(table, (row) => textsOfRow(init, row))
  return Object.freeze({
    table,
    idColumns,
    keyColumn,
    with: (db: Kysely<never>) => new CachedRepository(init, db),
  }) as unknown as Repository<R>
}

interface CachedInit {
  readonly repository: Repository
  readonly options: ResolvedCachedOptions
  readonly keys: RowKeys
  readonly entry: ResolvedEntryOptions
}

class CachedRepository implements BoundRepository {
  readonly #init: CachedInit
  readonly #db: Kysely<never>
  readonly #bound: BoundRepository

  constructor(init: CachedInit, db: Kysely<never>) {
    this.#init = init
    this.#db = db
    this.#bound = init.repository.with(db)
  }

  async findById(id: object): Promise<object | undefined> {
    if (this.#db.isTransaction) return await this.#bound.findById(id)
    return await this.#findThrough(this.#bound, id as Row)
  }

  async findMany(filter: object, options: FindOptions = {}): Promise<object[]> {
    const { keys, options: own, entry } = this.#init
    if (this.#db.isTransaction || !own.lists) return await this.#bound.findMany(filter, options)
    const key = keys.list(filter as Row, options)
    const load: Load<object[]> = async ({ doNotKeep }) => {
      const rows = await this.#bound.findMany(filter, options)
      if (!keys.listSpelledAsStored(filter as Row, rows as Row[])) doNotKeep()
      return rows
    }
    const kept = { ...entry, tags: keys.tags(filter as Row), loadGroup: this.#groupOf(filter as Row) }
    const rows = await own.cache.getByText(own.cache.keyText(key), key.name, load, kept)
    // A cached array is frozen; callers sort and push what a query gave them.
    return [...(rows as object[])]
  }

  async insert(row: object): Promise<object> {
    return await this.#write([row as Row], async () => {
      const stored = await this.#bound.insert(row)
      return { result: stored, rows: [stored as Row] }
    })
  }

  async insertMany(rows: readonly object[]): Promise<object[]> {
    return await this.#write(rows as readonly Row[], async () => {
      const stored = await this.#bound.insertMany(rows)
      return { result: stored, rows: stored as Row[] }
    })
  }

  async update(id: object, changes: object): Promise<object | undefined> {
    return await this.#write([id as Row], async () => {
      const stored = await this.#bound.update(id, changes)
      return { result: stored, rows: stored ? [stored as Row] : [] }
    })
  }

  async upsert(row: object): Promise<object> {
    return await this.#write([row as Row], async () => {
      const stored = await this.#bound.upsert(row)
      return { result: stored, rows: [stored as Row] }
    })
  }

  async delete(id: object): Promise<boolean> {
    return await this.#write([id as Row], async () => {
      // Read first: only the server knows how it spells the id, and DELETE does not tell.
      const row = await this.#bound.findById(id)
      const result = await this.#bound.delete(id)
      return { result, rows: row ? [row as Row] : [] }
    })
  }

  /** `named` is what the caller named, `rows` what the server stored: both spellings are invalidated. */
  async #write<T>(named: readonly Row[], work: () => Promise<{ result: T; rows: readonly Row[] }>): Promise<T> {
    if (!this.#db.isTransaction) return await this.#writeAlone(named, work)
    const scope = await commitScopeOf(this.#db)
    if (!scope) throw noScope(this.#init.repository.table)
    const { result, rows } = await work()
    const written = [...named, ...rows]
    this.#init.options.cache.invalidateAtCommit(scope, this.#textsOf(written), () => this.#putThrough(written))
    return result
  }

  async #writeAlone<T>(named: readonly Row[], work: () => Promise<{ result: T; rows: readonly Row[] }>): Promise<T> {
    const caller = currentReadContext()
    const context = new ReadContext(caller?.tokens)
    try {
      const { result, rows } = await runInReadContext(context, work)
      for (const token of context.tokens) caller?.add(token)
      await this.#written([...named, ...rows], context.tokens)
      return result
    } catch (error) {
      // The connection may have broken after the commit, or it is in doubt: an invalidation too many does no harm.
      await this.#init.options.cache.invalidateTexts(this.#textsOf(named), { tokens: context.tokens })
      throw error
    }
  }

  async #written(rows: readonly Row[], tokens: readonly CommitToken[]): Promise<void> {
    await this.#init.options.cache.invalidateTexts(this.#textsOf(rows), { tokens })
    await this.#putThrough(rows)
  }

  #groupOf(row: Row): string {
    const { options, repository, entry } = this.#init
    const key = repository.keyColumn === undefined ? undefined : row[repository.keyColumn]
    return options.shardOf && key !== undefined && !Array.isArray(key) ? options.shardOf(key) : entry.loadGroup
  }

  #textsOf(rows: readonly Row[]): string[] {
    return [...new Set(rows.flatMap((row) => textsOfRow(this.#init, row)))]
  }

  /** Rows that name themselves: an insert may leave its id to the server. */
  #whole(rows: readonly Row[]): readonly Row[] {
    return rows.filter((row) => namesItself(this.#init, row))
  }

  /**
   * For write-through, the row is read again under a lease, after the invalidation: what RETURNING gave may be older than
   * another writer's commit, and does not show what triggers did. When it fails, the next reader loads it.
   */
  async #putThrough(rows: readonly Row[]): Promise<void> {
    const { repository, options, keys } = this.#init
    if (options.strategy !== 'write-through') return
    const bound = repository.with(options.db as Kysely<never>)
    const names = [...repository.idColumns, ...(repository.keyColumn === undefined ? [] : [repository.keyColumn])]
    const ids = new Map(
      this.#whole(rows).map((row) => [
        options.cache.keyText(keys.row(row)),
        Object.fromEntries(names.map((name) => [name, row[name]])),
      ]),
    )
    await Promise.allSettled([...ids.values()].map((id) => this.#findThrough(bound, id)))
  }

  async #findThrough(bound: BoundRepository, id: Row): Promise<object | undefined> {
    const { keys, options, entry } = this.#init
    const load: Load<object | undefined> = async ({ doNotKeep }) => {
      const row = await bound.findById(id)
      if (!keys.spelledAsStored(id, row as Row | undefined)) doNotKeep()
      return row
    }
    const text = options.cache.keyText(keys.row(id))
    // A row is invalidated by its own key; that there is none is ended by any insert into the same key's rows.
    const kept = { ...entry, absentTags: keys.tags(id), loadGroup: this.#groupOf(id) }
    return (await options.cache.getByText(text, options.name, load, kept)) as object | undefined
  }
}

function namesItself(init: CachedInit, row: Row): boolean {
  return init.repository.idColumns.every((column) => row[column] !== undefined)
}

/** What a write to this row ends: its own entry, the lists of its shard key, and that there was no such row. */
function textsOfRow(init: CachedInit, row: Row): readonly string[] {
  const { cache } = init.options
  const tags = init.keys.tags(row).map((tag) => cache.tagText(tag))
  return namesItself(init, row) ? [cache.keyText(init.keys.row(row)), ...tags] : tags
}

function noScope(table: string): CacheError {
  return new CacheError({
    code: 'COMMIT_SCOPE_REQUIRED',
    message: `A write to the cached table '${table}' came in a transaction that cannot tell when it commits.`,
    hint: 'Use a transaction of a shard router, or write through the repository that is not cached and invalidate afterwards.',
    details: { table },
  })
}
