import type { ShardedTable } from './table-placement.ts'

/** A lookup as it is given to `defineSchema`. Made by `lookup`. */
export interface LookupDefinition<
  Table extends string = string,
  Column extends string = string,
  Key extends string = string,
> {
  readonly table: Table
  readonly column: Column
  readonly to: Key
  readonly unique: boolean
  /** Of the table that holds its entries; `undefined`: made of table and column. */
  readonly name: string | undefined
}

export interface LookupOptions<Table extends string, Column extends string, Key extends string> {
  /** A sharded table, as in `Database`. */
  readonly table: Table
  /** The column that is looked up; NULL has no entry. */
  readonly column: Column
  /** The shard key of the table, which the value leads to. */
  readonly to: Key
  /** True: a value may stand in one row of the whole fleet only; a duplicate fails with 23505. Default: false. */
  readonly unique?: boolean
  /** The physical name of the table that holds the entries. Default: `<table>_by_<column>`. */
  readonly name?: string
}

/**
 * A way from a value of a column to the shard key of its rows, kept in the transaction that writes the row.
 * @example
 * defineSchema<Database>()({
 *   tables: { users: sharded('user_id') },
 *   lookups: [lookup({ table: 'users', column: 'email', to: 'user_id', unique: true })],
 * })
 */
export function lookup<const Table extends string, const Column extends string, const Key extends string>(
  options: LookupOptions<Table, Column, Key>,
): LookupDefinition<Table, Column, Key> {
  const { table, column, to, unique = false, name } = options
  return Object.freeze({ table, column, to, unique, name })
}

/** A lookup of a schema, under its names on the server. */
export interface Lookup {
  readonly name: string
  readonly table: ShardedTable
  readonly column: string
  /** The column as in the `Database` type. */
  readonly columnName: string
  readonly unique: boolean
  /** The table of its entries: sharded by the value, so that equal values meet on one shard. */
  readonly entries: ShardedTable
}
