import type { InsertType, SelectType } from 'kysely'
import type { ReferencePlacement, ShardedPlacement } from './placement.ts'
import type { DatabaseOf, PlacementsOf } from './schema.ts'
import type { shardKeyBrand } from './shard-key.ts'

type StringKeys<T> = Extract<keyof T, string>

/** Names of a table's columns that are declared as `ShardKey`. */
export type ShardKeyColumns<Table> = {
  [C in StringKeys<Table>]: typeof shardKeyBrand extends keyof Table[C] ? C : never
}[StringKeys<Table>]

/** Names of a schema's key families. */
export type FamilyName<S> = {
  [T in keyof PlacementsOf<S>]: PlacementsOf<S>[T] extends ShardedPlacement<string, infer F> ? F : never
}[keyof PlacementsOf<S>]

/** Names (as in `Database`) of the sharded tables of one family. */
export type FamilyTable<S, F extends FamilyName<S>> = {
  [T in keyof PlacementsOf<S>]: PlacementsOf<S>[T] extends ShardedPlacement<string, infer G>
    ? G extends F
      ? T
      : never
    : never
}[keyof PlacementsOf<S>] &
  keyof DatabaseOf<S>

/** Names (as in `Database`) of the reference tables. */
export type ReferenceTableName<S> = {
  [T in keyof PlacementsOf<S>]: PlacementsOf<S>[T] extends ReferencePlacement ? T : never
}[keyof PlacementsOf<S>] &
  keyof DatabaseOf<S>

/**
 * The part of the database that one key sees: its family's tables and the reference tables.
 * @example
 * type Festival = ConfinedDatabase<typeof schema, 'festival_id'>
 */
export type ConfinedDatabase<S, F extends FamilyName<S>> = Pick<
  DatabaseOf<S>,
  FamilyTable<S, F> | ReferenceTableName<S>
>

type KeyColumn<S, T extends keyof DatabaseOf<S>> = T extends keyof PlacementsOf<S>
  ? PlacementsOf<S>[T] extends ShardedPlacement<infer K, string>
    ? K extends keyof DatabaseOf<S>[T]
      ? DatabaseOf<S>[T][K]
      : never
    : never
  : never

/** The TypeScript type of a family's key, as it is inserted. */
export type KeyOf<S, F extends FamilyName<S>> = {
  [T in FamilyTable<S, F>]: InsertType<KeyColumn<S, T>>
}[FamilyTable<S, F>]

/** The TypeScript type of a family's key, as it is read. */
export type SelectedKeyOf<S, F extends FamilyName<S>> = {
  [T in FamilyTable<S, F>]: SelectType<KeyColumn<S, T>>
}[FamilyTable<S, F>]

/**
 * One key of one family, as `router.for` takes it: `{ festival_id: f }` or `{ user_id: u }`, never both.
 * @example
 * declare function forKey<const K extends FamilyKey<S>>(key: K): Kysely<ConfinedDatabase<S, FamilyOfKey<S, K>>>
 */
export type FamilyKey<S> = {
  [F in FamilyName<S>]: { readonly [K in F]: KeyOf<S, F> } & { readonly [K in Exclude<FamilyName<S>, F>]?: never }
}[FamilyName<S>]

/** The family that a `FamilyKey` names. */
export type FamilyOfKey<S, K> = Extract<keyof K, FamilyName<S>>
