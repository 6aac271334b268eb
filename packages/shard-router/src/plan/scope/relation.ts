import type { ShardedTable, TablePlacement } from '@shardwright/core'
import type { OperationNode } from 'kysely'
import type { KeySet } from '../key/key-set.ts'
import type { Block } from './block.ts'

/** One item of FROM, JOIN, USING or the target of a write, under the name by which the query sees it. */
export interface Relation {
  /** Unique within its block: the bit in `Fact.restricts`. */
  readonly bit: number
  /** The item as it is written in FROM. */
  readonly item: OperationNode
  readonly alias: string
  /** Set where the query may write `schema.table.column`. */
  readonly schema: string | undefined
  readonly source: RelationSource
  /** `undefined`: the columns are not known, so an unqualified name may be one of them. */
  readonly columns: readonly string[] | undefined
  /** Lateral: its own references may see the relations before it. */
  readonly lateral: boolean
}

export type RelationSource =
  | { readonly kind: 'table'; readonly placement: TablePlacement }
  /** A subquery, or a use of a CTE. */
  | {
      readonly kind: 'query'
      readonly query: OperationNode
      readonly environment: CteEnvironment
      readonly cte: Cte | undefined
    }
  /** The recursive reference of a CTE to itself. */
  | { readonly kind: 'recursion'; readonly cte: Cte }
  /** VALUES, a function: the same on every shard. */
  | { readonly kind: 'replicated' }
  /** A table of pg_catalog or information_schema: each shard has its own, the first shard answers. */
  | { readonly kind: 'system' }

/** A CTE and the names it can see. */
export interface Cte {
  readonly name: string
  readonly query: OperationNode
  readonly columns: readonly string[] | undefined
  readonly environment: CteEnvironment
  /** The query level around the WITH, whose columns the CTE may use. */
  readonly parent: Block | undefined
  readonly recursive: boolean
}

/** CTE names in scope, innermost first; a name hides tables. */
export interface CteEnvironment {
  readonly ctes: ReadonlyMap<string, Cte>
}

/** A column that equals the shard key of `family` in every row, and the keys it can have. */
export interface KeyExport {
  readonly family: string
  readonly keys: KeySet
  /** True when an outer join may have made the column NULL. */
  readonly nullable: boolean
}

export function shardedTableOf(relation: Relation): ShardedTable | undefined {
  const { source } = relation
  return source.kind === 'table' && source.placement.kind === 'sharded' ? source.placement : undefined
}
