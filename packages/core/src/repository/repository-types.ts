import type { Expression, Insertable, InsertType, Selectable, SelectType, Updateable } from 'kysely'

/** The types of one repository in one bundle, so that what wraps a repository needs one type parameter. */
export interface RepositoryTypes {
  readonly database: unknown
  readonly table: string
  /** A row as it is read. */
  readonly row: object
  /** A row as it is inserted. */
  readonly newRow: object
  /** What `update` may change: neither the id columns nor the key. */
  readonly changes: object
  /** Names one row: its id columns and the shard key. */
  readonly id: object
  /** What `findMany` takes: the key, and any other columns. */
  readonly filter: object
  /** A column of the table. */
  readonly column: string
}

type Value<Column> = Exclude<SelectType<Column> | InsertType<Column>, null | undefined>
type Columns<Table> = Extract<keyof Table, string>

/** Values, or expressions of them: `{ balance: sql<string>\`balance + 1\` }`. */
type Changes<Values> = { readonly [C in keyof Values]: Values[C] | Expression<Exclude<Values[C], undefined>> }

/** The types of a repository of table `T`, derived from `Database`. */
export interface RepositoryTypesOf<
  Database,
  T extends keyof Database & string,
  Id extends keyof Database[T],
  Key extends keyof Database[T],
> extends RepositoryTypes {
  readonly database: Database
  readonly table: T
  readonly row: Selectable<Database[T]>
  readonly newRow: Insertable<Database[T]>
  readonly changes: Changes<Omit<Updateable<Database[T]>, Id | Key>>
  readonly id: { readonly [C in Id | Key]: Value<Database[T][C]> }
  readonly filter: {
    readonly [C in Key]: Value<Database[T][C]> | readonly Value<Database[T][C]>[]
  } & {
    readonly [C in Exclude<Columns<Database[T]>, Key>]?:
      | SelectType<Database[T][C]>
      | InsertType<Database[T][C]>
      | readonly Value<Database[T][C]>[]
  }
  readonly column: Columns<Database[T]>
}
