import type { ShardedTable } from '@shardwright/core'
import type { KeySet } from './key/key-set.ts'

/** One use of a table in a statement: what decides the shards it needs. */
export type Access =
  | {
      readonly kind: 'sharded'
      readonly table: ShardedTable
      readonly keys: KeySet
      readonly writes: boolean
      readonly inserts: boolean
    }
  | { readonly kind: 'single'; readonly name: string; readonly shard: string; readonly writes: boolean }
  | { readonly kind: 'reference'; readonly name: string; readonly writes: boolean }
  /** The server's own catalogs: the first shard's. */
  | { readonly kind: 'system' }
