import type { InsertType } from 'kysely'
import type { LookupDefinition } from './lookup.ts'
import type { Placement, ShardedPlacement } from './placement.ts'
import type { ShardKeyColumns } from './schema-types.ts'

/** A type that nothing is assignable to and whose text says why. */
export interface Refusal<Sentence extends string> {
  readonly refused: Sentence
}

type Name<T> = T extends string ? T : string

/** A placement for every table. */
export type EveryTablePlaced<Database> = { readonly [T in keyof Database]: Placement }

/** `P` itself where it is right; a sentence where it is not. */
export type CheckedPlacements<Database, P> = {
  readonly [T in keyof P]: T extends keyof Database
    ? P[T] extends ShardedPlacement<infer K, string>
      ? CheckedKey<Database, T, K, P[T]>
      : P[T]
    : Refusal<`'${Name<T>}' is not a table of Database`>
}

type CheckedKey<Database, T extends keyof Database, K extends string, P> =
  K extends ShardKeyColumns<Database[T]>
    ? null extends InsertType<Database[T][K]>
      ? Refusal<`column '${K}' of '${Name<T>}' may be null: a shard key is never null`>
      : undefined extends InsertType<Database[T][K]>
        ? Refusal<`column '${K}' of '${Name<T>}' is optional on insert: a shard key is always given`>
        : P
    : K extends keyof Database[T]
      ? Refusal<`column '${K}' of '${Name<T>}' is not declared as ShardKey<...>`>
      : Refusal<`'${Name<T>}' has no column '${K}'`>

/** `L` itself where it is right; a sentence where it is not. */
export type CheckedLookups<Database, P, L extends readonly LookupDefinition[]> = {
  readonly [I in keyof L]: L[I] extends LookupDefinition<infer T, infer C, infer K>
    ? CheckedLookup<Database, P, T, C, K, L[I]>
    : L[I]
}

type CheckedLookup<Database, P, T extends string, C extends string, K extends string, L> = T extends keyof P &
  keyof Database
  ? P[T] extends ShardedPlacement<infer Key, string>
    ? C extends keyof Database[T]
      ? K extends Key
        ? C extends Key
          ? Refusal<`'${C}' is the shard key of '${T}': it needs no lookup`>
          : L
        : Refusal<`'${K}' is not the shard key of '${T}'`>
      : Refusal<`'${T}' has no column '${C}'`>
    : Refusal<`'${T}' is not sharded: it needs no lookup`>
  : Refusal<`'${T}' is not a table of Database`>
