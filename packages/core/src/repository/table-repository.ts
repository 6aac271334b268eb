import type { ExpressionBuilder, Kysely } from 'kysely'
import { RepositoryError } from '../errors/repository-error.ts'
import type { BoundRepository, FindOptions } from './repository.ts'

/** Tables and columns as they come: the types are checked at `defineRepository`. */
export type AnyDatabase = Record<string, Record<string, unknown>>

type Row = Record<string, unknown>
type Condition = ReturnType<ExpressionBuilder<AnyDatabase, string>['and']>

export interface RepositoryFields {
  readonly table: string
  readonly idColumns: readonly string[]
  readonly keyColumn: string | undefined
  /** Id columns and key: together they name a row and its shard. */
  readonly whereColumns: readonly string[]
}

/** What one Bind message can carry; the driver would wrap around silently beyond it. */
const maxParameters = 65535

/** A repository bound to a database, by plain Kysely queries. */
export class TableRepository implements BoundRepository {
  readonly #db: Kysely<AnyDatabase>
  readonly #fields: RepositoryFields

  constructor(db: Kysely<AnyDatabase>, fields: RepositoryFields) {
    this.#db = db
    this.#fields = fields
  }

  async findById(id: object): Promise<Row | undefined> {
    return await this.#db
      .selectFrom(this.#fields.table)
      .selectAll()
      .where((eb) => this.#isRow(eb, id as Row))
      .executeTakeFirst()
  }

  async findMany(filter: object, options: FindOptions = {}): Promise<Row[]> {
    const conditions = this.#readFilter(filter as Row)
    if (conditions.some(([, value]) => Array.isArray(value) && value.length === 0)) return []
    let query = this.#db
      .selectFrom(this.#fields.table)
      .selectAll()
      .where((eb) => eb.and(conditions.map(([column, value]) => equals(eb, column, value))))
    for (const term of options.orderBy ?? []) {
      query = typeof term === 'string' ? query.orderBy(term) : query.orderBy(term[0], term[1])
    }
    if (options.limit !== undefined) query = query.limit(options.limit)
    if (options.offset !== undefined) query = query.offset(options.offset)
    return await query.execute()
  }

  async insert(row: object): Promise<Row> {
    this.#requireKey(row as Row)
    return await this.#db
      .insertInto(this.#fields.table)
      .values(row as Row)
      .returningAll()
      .executeTakeFirstOrThrow()
  }

  async insertMany(rows: readonly object[]): Promise<Row[]> {
    if (rows.length === 0) return []
    for (const row of rows) this.#requireKey(row as Row)
    this.#refuseTooMany(rows as readonly Row[])
    return await this.#db
      .insertInto(this.#fields.table)
      .values(rows as readonly Row[])
      .returningAll()
      .execute()
  }

  async update(id: object, changes: object): Promise<Row | undefined> {
    const given = withoutUndefined(changes as Row)
    if (Object.keys(given).length === 0) return await this.findById(id)
    this.#refuseChangeOfId(given)
    return await this.#db
      .updateTable(this.#fields.table)
      .set(given)
      .where((eb) => this.#isRow(eb, id as Row))
      .returningAll()
      .executeTakeFirst()
  }

  async upsert(row: object): Promise<Row> {
    const given = withoutUndefined(row as Row)
    for (const column of this.#fields.whereColumns) this.#require(given, column)
    const stored = await this.#upsertQuery(given).executeTakeFirst()
    if (stored) return stored
    throw new RepositoryError({
      code: 'ROW_OF_ANOTHER_KEY',
      message: `The row of '${this.#fields.table}' with this id has another '${this.#fields.keyColumn}'.`,
      hint: 'The shard key of a row never changes: delete the row and insert it under the other key.',
      details: { table: this.#fields.table },
    })
  }

  async delete(id: object): Promise<boolean> {
    const result = await this.#db
      .deleteFrom(this.#fields.table)
      .where((eb) => this.#isRow(eb, id as Row))
      .executeTakeFirstOrThrow()
    return result.numDeletedRows > 0n
  }

  #upsertQuery(row: Row) {
    const { table, idColumns, keyColumn, whereColumns } = this.#fields
    const changed = Object.keys(row).filter((column) => !whereColumns.includes(column))
    // Setting an id column to itself changes nothing, and makes RETURNING give the row that was there.
    const columns = changed.length > 0 ? changed : idColumns.slice(0, 1)
    return this.#db
      .insertInto(table)
      .values(row)
      .onConflict((conflict) => {
        const update = conflict
          .columns([...idColumns])
          .doUpdateSet((eb) => Object.fromEntries(columns.map((column) => [column, eb.ref(`excluded.${column}`)])))
        if (keyColumn === undefined || idColumns.includes(keyColumn)) return update
        return update.whereRef(`${table}.${keyColumn}`, '=', `excluded.${keyColumn}`)
      })
      .returningAll()
  }

  #isRow(eb: ExpressionBuilder<AnyDatabase, string>, id: Row): Condition {
    return eb.and(this.#fields.whereColumns.map((column) => eb(column, '=', this.#require(id, column))))
  }

  #readFilter(filter: Row): [string, unknown][] {
    this.#requireKey(filter)
    const conditions = Object.entries(filter)
    const missing = conditions.find(([, value]) => value === undefined)
    // A condition that is dropped would give rows that were not asked for.
    if (missing) throw this.#missing(missing[0])
    return conditions
  }

  #requireKey(row: Row): void {
    if (this.#fields.keyColumn !== undefined) this.#require(row, this.#fields.keyColumn)
  }

  #require(row: Row, column: string): unknown {
    const value = row[column]
    if (value === undefined || value === null) throw this.#missing(column)
    return value
  }

  #missing(column: string): RepositoryError {
    return new RepositoryError({
      code: 'KEY_MISSING',
      message: `A call to the repository of '${this.#fields.table}' gives no value for '${column}'.`,
      hint: 'Pass every id column and the shard key; leave a filter column out instead of passing undefined.',
      details: { table: this.#fields.table, column },
    })
  }

  #refuseChangeOfId(changes: Row): void {
    const column = Object.keys(changes).find((name) => this.#fields.whereColumns.includes(name))
    if (column === undefined) return
    throw new RepositoryError({
      code: 'ID_NOT_UPDATABLE',
      message: `'${column}' of '${this.#fields.table}' names the row: an update cannot change it.`,
      hint: 'Delete the row and insert it under its new id.',
      details: { table: this.#fields.table, column },
    })
  }

  #refuseTooMany(rows: readonly Row[]): void {
    const columns = new Set(rows.flatMap((row) => Object.keys(row)))
    if (columns.size * rows.length <= maxParameters) return
    throw new RepositoryError({
      code: 'TOO_MANY_VALUES',
      message: `${rows.length} rows of ${columns.size} columns are more than the ${maxParameters} values of one statement.`,
      hint: `Insert at most ${Math.floor(maxParameters / columns.size)} rows at a time, in one transaction if all or none shall be stored.`,
      details: { table: this.#fields.table, rows: rows.length, columns: columns.size },
    })
  }
}

function equals(eb: ExpressionBuilder<AnyDatabase, string>, column: string, value: unknown) {
  if (value === null) return eb(column, 'is', null)
  return Array.isArray(value) ? eb(column, 'in', value) : eb(column, '=', value)
}

function withoutUndefined(row: Row): Row {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined))
}
