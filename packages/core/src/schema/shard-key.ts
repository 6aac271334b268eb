import type { ColumnType } from 'kysely'

/** Marks shard key columns at the type level; it has no value at run time. */
export declare const shardKeyBrand: unique symbol

/**
 * The column that decides a row's shard: reads as `S`, is required on insert as `I`, and can never be updated.
 * A brand, because otherwise any never-updated column would pass as a key.
 * @example
 * interface Database { wallets: { festival_id: ShardKey<string>; id: string; balance: string } }
 */
export type ShardKey<S, I = S> = ColumnType<S, I, never> & { readonly [shardKeyBrand]?: never }
