import type { Schema } from '@shardwright/core'
import type { InsertQueryNode, MergeQueryNode, OperationNode, TableNode } from 'kysely'
import type { Catalog } from '../../plan/catalog.ts'
import { independent } from '../../plan/independent-functions.ts'
import type { PreparedPlan } from '../../plan/prepared-plan.ts'
import { childrenOf, someNode } from '../../plan/walk.ts'
import { takesSequence } from '../../plan/write/column-defaults.ts'
import { readsOneRow } from './one-row-write.ts'

/** Why a statement goes to the coordinator though one shard has all its rows. */
export interface CoordinatorNeed {
  readonly reason: string
  /** A transaction that is on a worker cannot run it there; otherwise the coordinator is only the better place. */
  readonly strict: boolean
}

/** The coordinator waits for a shard that moves before a worker takes the snapshot; a worker by itself the other way round. */
export const severalRows: CoordinatorNeed = Object.freeze({
  reason: 'it may write several rows, of which a worker could miss some while the shard moves',
  strict: false,
})

/** What the coordinator alone does as one PostgreSQL would: sequences, and functions that the workers may not have. */
export class CoordinatorNeeds {
  readonly #schema: Schema
  readonly #catalog: Catalog
  readonly #needs = new WeakMap<PreparedPlan, { readonly need: CoordinatorNeed | undefined }>()
  readonly #families = new Map<string, string | undefined>()

  constructor(schema: Schema, catalog: Catalog) {
    this.#schema = schema
    this.#catalog = catalog
  }

  of(plan: PreparedPlan): CoordinatorNeed | undefined {
    let known = this.#needs.get(plan)
    if (known === undefined) {
      known = { need: this.#find(plan) }
      this.#needs.set(plan, known)
    }
    return known.need
  }

  /** A column of the family whose values come from a sequence: transactions on its keys may need the coordinator later. */
  sequenceOfFamily(family: string): string | undefined {
    if (!this.#families.has(family)) this.#families.set(family, this.#findSequence(family))
    return this.#families.get(family)
  }

  #findSequence(family: string): string | undefined {
    for (const { name, schema, table } of this.#schema.families.get(family)?.tables ?? []) {
      const column = this.#catalog.table(schema, table)?.columns.find(takesSequence)
      if (column) return `${name}.${column.name}`
    }
    return undefined
  }

  #find(plan: PreparedPlan): CoordinatorNeed | undefined {
    const { volatile, writes } = plan.traits
    const column = writes ? this.#sequenceIn(plan.root, undefined) : undefined
    if (column)
      return { reason: `'${column}' takes its value from a sequence, which is the coordinator's`, strict: true }
    if (volatile.includes('nextval')) {
      return { reason: "nextval() takes its value from a sequence, which is the coordinator's", strict: true }
    }
    const name = volatile.find((candidate) => !independent.has(candidate))
    if (name !== undefined) return { reason: `${name}() is volatile`, strict: false }
    return !writes || readsOneRow(plan, this.#catalog) ? undefined : severalRows
  }

  /** The first column that an INSERT anywhere in the statement leaves to its sequence. */
  #sequenceIn(node: OperationNode, target: TableNode | undefined): string | undefined {
    const merged = node.kind === 'MergeQueryNode' ? tableOf((node as MergeQueryNode).into) : target
    if (node.kind === 'InsertQueryNode') {
      const found = this.#sequenceOf(node as InsertQueryNode, merged)
      if (found) return found
    }
    for (const child of childrenOf(node)) {
      const found = this.#sequenceIn(child, merged)
      if (found) return found
    }
    return undefined
  }

  #sequenceOf(node: InsertQueryNode, merged: TableNode | undefined): string | undefined {
    const into = (node.into ?? merged)?.table
    const placement = into && this.#schema.find(into.identifier.name, into.schema?.name)
    const described = placement && this.#catalog.table(placement.schema, placement.table)
    if (!described) return undefined
    const given = node.columns && new Set(node.columns.map((column) => column.column.name))
    const asksDefault =
      node.values !== undefined && someNode(node.values, (child) => child.kind === 'DefaultInsertValueNode')
    const left = described.columns.find(
      (column) => takesSequence(column) && (asksDefault || node.defaultValues || (given && !given.has(column.name))),
    )
    return left && `${placement.name}.${left.name}`
  }
}

function tableOf(node: OperationNode): TableNode | undefined {
  if (node.kind === 'AliasNode') return tableOf((node as unknown as { node: OperationNode }).node)
  return node.kind === 'TableNode' ? (node as TableNode) : undefined
}
