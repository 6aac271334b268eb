import {
  ColumnNode,
  type ColumnUpdateNode,
  type InsertQueryNode,
  type OperationNode,
  type PrimitiveValueListNode,
  type SelectQueryNode,
  type UpdateQueryNode,
  type ValueListNode,
  type ValuesNode,
  type WhenNode,
} from 'kysely'
import type { CatalogTable } from '../catalog.ts'
import { type ParameterIndex, sourceNode } from '../compile.ts'
import { aliased } from '../decompose/nodes.ts'
import { bareQuery } from '../scope/query-node.ts'
import { mapBelow, mapNode } from '../walk.ts'
import { boundDefault, defaultKind } from './column-defaults.ts'
import { assignedColumns } from './key-update.ts'
import { isDefault, type LeftDefaults, writesIn } from './left-defaults.ts'
import { writtenPlacement } from './written-table.ts'

/** A column that a write leaves to the clock, and its value in the moments of the statement. */
export interface ClockColumn {
  readonly name: string
  readonly value: OperationNode
}

/** Writes the moments of a statement where the tables of several shards would take their defaults from a clock each. */
export class BoundDefaults {
  readonly #left: LeftDefaults
  readonly #parameters: ParameterIndex

  constructor(left: LeftDefaults, parameters: ParameterIndex) {
    this.#left = left
    this.#parameters = parameters
  }

  /** Of every write to a sharded table in the tree. */
  in<N extends OperationNode>(root: N): N {
    const bind = (node: OperationNode): OperationNode | undefined => {
      const placement = writtenPlacement(node, this.#left.schema)
      const described = placement?.kind === 'sharded' ? this.#left.describe(placement) : undefined
      return described && this.#bound(node, described, root, bind)
    }
    return mapNode(root, bind)
  }

  /** A write over its bound parts: CTEs, queries, the parts of MERGE. */
  #bound(
    node: OperationNode,
    described: CatalogTable,
    root: OperationNode,
    bind: (node: OperationNode) => OperationNode | undefined,
  ): OperationNode {
    const own = mapBelow(node, (child) => {
      const inMerge = child.kind === 'WhenNode' ? (child as WhenNode).result : undefined
      if (inMerge === undefined || !writesIn(node).includes(inMerge)) return bind(child)
      return { ...child, result: this.#bound(inMerge, described, root, bind) } as WhenNode
    })
    if (node.kind === 'UpdateQueryNode') return this.#update(own as UpdateQueryNode, described)
    if (node.kind !== 'InsertQueryNode') return own
    const insert = node as InsertQueryNode
    const given = this.#left.givenNames(insert, described, root)
    return this.#insert(own as InsertQueryNode, given, this.omitted(insert, described, root), described)
  }

  /** The columns that an INSERT omits, and the clock would fill. */
  omitted(insert: InsertQueryNode, described: CatalogTable, root: OperationNode): readonly ClockColumn[] {
    const given = this.#left.givenNames(insert, described, root)
    return described.columns.flatMap(({ name }) => {
      const value = given.includes(name) ? undefined : this.#clockValue(name, described)
      return value ? [{ name, value }] : []
    })
  }

  #insert(
    insert: InsertQueryNode,
    given: readonly string[],
    added: readonly ClockColumn[],
    described: CatalogTable,
  ): InsertQueryNode {
    const values = insert.values && this.#values(insert.values, given, added, described)
    const columns = [...given, ...added.map(({ name }) => name)].map((name) => ColumnNode.create(name))
    const bound = { ...insert, ...(added.length > 0 ? { columns } : {}), ...(values ? { values } : {}) }
    return this.conflict(bound, described)
  }

  /** DO UPDATE SET ... = DEFAULT. */
  conflict(insert: InsertQueryNode, described: CatalogTable): InsertQueryNode {
    const { onConflict } = insert
    if (!onConflict?.updates) return insert
    return { ...insert, onConflict: { ...onConflict, updates: this.#updates(onConflict.updates, described) } }
  }

  #update(update: UpdateQueryNode, described: CatalogTable): UpdateQueryNode {
    return update.updates ? { ...update, updates: this.#updates(update.updates, described) } : update
  }

  #updates(updates: readonly ColumnUpdateNode[], described: CatalogTable): readonly ColumnUpdateNode[] {
    return updates.map((update) => {
      const [name, ...more] = isDefault(update.value) ? assignedColumns(update.column) : []
      const value = name !== undefined && more.length === 0 ? this.#clockValue(name, described) : undefined
      return value ? { ...update, value } : update
    })
  }

  #values(
    values: OperationNode,
    given: readonly string[],
    added: readonly ClockColumn[],
    described: CatalogTable,
  ): OperationNode {
    const more = added.map(({ value }) => value)
    if (values.kind === 'ValuesNode') {
      const rows = (values as ValuesNode).values.map((row) => this.#row(row, given, more, described))
      return { ...values, values: rows } as ValuesNode
    }
    return more.length > 0 ? withOutputs(values, more) : values
  }

  /** Keeps the row's own nodes, or what they stand for: the tree is the first call's, the parameters are each call's. */
  #row(
    row: PrimitiveValueListNode | ValueListNode,
    given: readonly string[],
    more: readonly OperationNode[],
    described: CatalogTable,
  ): PrimitiveValueListNode | ValueListNode {
    if (row.kind === 'ValueListNode') {
      const values = (row as ValueListNode).values.map((value, position) => {
        const name = isDefault(value) ? given[position] : undefined
        return (name !== undefined && this.#clockValue(name, described)) || value
      })
      return { kind: 'ValueListNode', values: [...values, ...more] }
    }
    if (more.length === 0) return row
    const first = this.#parameters.get(row)
    const values = (row as PrimitiveValueListNode).values.map((value, offset) =>
      sourceNode(first === undefined ? { from: 'constant', value } : { from: 'parameter', index: first + offset }),
    )
    return { kind: 'ValueListNode', values: [...values, ...more] }
  }

  #clockValue(name: string, described: CatalogTable): OperationNode | undefined {
    const column = described.columns.find((candidate) => candidate.name === name)
    if (!column || defaultKind(column, this.#left.catalog) !== 'clock') return undefined
    return boundDefault(column.defaultSql ?? '')
  }
}

/** A query with more outputs; every arm of a set operation gets them. */
function withOutputs(query: OperationNode, more: readonly OperationNode[]): OperationNode {
  const bare = bareQuery(query)
  return mapNode(query, (node) => (node === bare ? widened(bare as SelectQueryNode, more) : undefined))
}

function widened(select: SelectQueryNode, more: readonly OperationNode[]): SelectQueryNode {
  const outputs = more.map((value, index) => aliased(value, `shardwright:clock:${index + 1}`))
  const setOperations = select.setOperations?.map((operation) => ({
    ...operation,
    expression: withOutputs(operation.expression, more) as typeof operation.expression,
  }))
  return {
    ...select,
    selections: [...(select.selections ?? []), ...outputs],
    ...(setOperations ? { setOperations } : {}),
  }
}
