import type { Schema } from '@shardwright/core'
import type { OperationNode, RootOperationNode } from 'kysely'
import type { Access } from './access.ts'
import type { Catalog } from './catalog.ts'
import type { ParameterIndex, SqlTemplate } from './compile.ts'
import type { TreeTraits } from './inspect-tree.ts'
import type { LookupKeys } from './key/key-set.ts'
import type { MultiShardPlan } from './multi-shard.ts'

/** What planning a statement's shape found; the shards are chosen per call, from that call's parameters. */
export interface PreparedPlan {
  readonly kind: 'select' | 'insert' | 'update' | 'delete' | 'merge'
  readonly root: RootOperationNode
  readonly parameters: ParameterIndex
  readonly traits: TreeTraits
  readonly accesses: readonly Access[]
  /** `read` may go to a replica. */
  readonly access: 'read' | 'write'
  /** Rows that are read or written before this statement and stand in its tree as tables: their columns, if known. */
  readonly gathered: ReadonlyMap<string, readonly string[] | undefined>
  /** Set when the statement is sent otherwise than the caller compiled it. */
  readonly template: SqlTemplate | undefined
  /** Tables of the statement for which the schema allows fan-out without asking. */
  readonly fanOutAllowed: boolean
  /** Lookups that can lead to shards, where no key does. */
  readonly lookups: readonly LookupKeys[]
  /** True when the statement may change what a lookup holds: it runs in a transaction that can reach its entries. */
  readonly changesLookups: boolean
  /** True when the answer is empty, without asking, where no key matches. */
  emptyWithoutKeys(): boolean
  /** How to run it over several shards; planned when first needed. @throws RoutingError */
  multi(): MultiShardPlan
}

export interface PlanContext {
  readonly schema: Schema
  readonly catalog: Catalog
}

export type Rewrite = (root: OperationNode) => OperationNode
