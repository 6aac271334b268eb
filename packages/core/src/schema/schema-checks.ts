import type { InsertType } from 'kysely'
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
