import type { ControlledTransaction, Kysely, Transaction } from 'kysely'
import type { RepositoryTypes } from './repository-types.ts'

/**
 * A typed repository of one table, before it is bound to a database. What wraps it (a cache) has the same type.
 * @example
 * const row = await wallets.with(router.db).findById({ festival_id: 'f', id: 'w' })
 * await router.for({ festival_id: 'f' }).transaction().execute((trx) => wallets.with(trx).insert(row))
 */
export interface Repository<R extends RepositoryTypes = RepositoryTypes> {
  /** As in the `Database` type. */
  readonly table: R['table']
  /** The primary key columns. */
  readonly idColumns: readonly string[]
  /** The shard key column; `undefined` for a table that is not sharded. */
  readonly keyColumn: string | undefined
  /** Binds to any Kysely that has the table: a router's, a transaction, a plain one. Costs nothing. */
  with<Database extends TableOf<R>>(db: KyselyOf<Database>): BoundRepository<R>
}

/** Each by its name: of a Transaction, TypeScript does not find the Database where only Kysely is asked for. */
type KyselyOf<Database> = Kysely<Database> | Transaction<Database> | ControlledTransaction<Database>

type TableOf<R extends RepositoryTypes> = {
  readonly [T in R['table']]: T extends keyof R['database'] ? R['database'][T] : unknown
}

/** A repository at work on one database or transaction. Every call names the shard key. */
export interface BoundRepository<R extends RepositoryTypes = RepositoryTypes> {
  /** The row, or `undefined`. */
  findById(id: R['id']): Promise<R['row'] | undefined>
  /** The rows that equal the filter; an array stands for IN, null for IS NULL. */
  findMany(filter: R['filter'], options?: FindOptions<R['column']>): Promise<R['row'][]>
  /** Gives the row as stored, defaults included. */
  insert(row: R['newRow']): Promise<R['row']>
  /** Gives the rows as stored, in the order given. One statement: at most 65535 values. */
  insertMany(rows: readonly R['newRow'][]): Promise<R['row'][]>
  /** Gives the row as changed, or `undefined` where there is none. */
  update(id: R['id'], changes: R['changes']): Promise<R['row'] | undefined>
  /** Inserts, or changes the row of the same id to the given columns. Gives the row as stored. */
  upsert(row: R['newRow']): Promise<R['row']>
  /** True when there was a row. */
  delete(id: R['id']): Promise<boolean>
}

export interface FindOptions<Column extends string = string> {
  /** First to last; PostgreSQL's default place for NULLs. Default: no order. */
  readonly orderBy?: readonly OrderTerm<Column>[] | undefined
  readonly limit?: number | undefined
  readonly offset?: number | undefined
}

/** A column, or a column and its direction. */
export type OrderTerm<Column extends string> = Column | readonly [column: Column, direction: 'asc' | 'desc']
