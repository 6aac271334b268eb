import type { KeyType } from '@shardwright/core'

/** What the planner knows of the database: read once from the shards, immutable. */
export interface Catalog {
  table(schema: string, table: string): CatalogTable | undefined
  /** By unqualified, lower-case name; a name with several overloads has the most dangerous answer. */
  functionTraits(name: string): FunctionTraits | undefined
  /** The key type of a family, the same on every table and shard. */
  keyType(family: string): KeyType
  /** True when every shard has all entries of the lookup. */
  lookupReady(name: string): boolean
  /** Tables (`schema.table`) whose writes can cascade to a table that has lookups. */
  readonly cascadesToLookups: ReadonlyMap<string, Cascade>
  /** The shortest varchar(n) among the family's keys: a longer value could be cut when it is stored. */
  keyLength(family: string): number | undefined
}

export interface Cascade {
  readonly onDelete: boolean
  /** The columns whose change cascades. */
  readonly onUpdate: readonly string[]
}

export interface CatalogTable {
  readonly schema: string
  readonly table: string
  readonly columns: readonly CatalogColumn[]
  readonly columnNames: readonly string[]
  /** Column names; empty without a primary key. */
  readonly primaryKey: readonly string[]
  /** True when a write may change other tables: triggers, rules, foreign keys that cascade. */
  readonly reaches: boolean
  /** True when a foreign key of the table refers to the table itself. */
  readonly refersToItself: boolean
  /** Its unique indexes, the primary key too. */
  readonly uniques: readonly UniqueIndex[]
}

export interface UniqueIndex {
  readonly name: string
  /** `undefined` for an index on an expression, or on part of the rows. */
  readonly columns: readonly string[] | undefined
}

export interface CatalogColumn {
  readonly name: string
  /** format_type without modifier, e.g. `bigint`. */
  readonly type: string
  readonly notNull: boolean
  /** The default's SQL text, if there is one. */
  readonly defaultSql: string | undefined
  readonly identity: 'always' | 'by default' | undefined
  readonly generated: boolean
}

export interface FunctionTraits {
  readonly aggregate: boolean
  readonly window: boolean
  readonly returnsSet: boolean
  readonly volatility: 'immutable' | 'stable' | 'volatile'
}
