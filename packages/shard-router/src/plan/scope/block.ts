import type { ColumnNode, OperationNode, ReferenceNode, TableNode } from 'kysely'
import type { KeySet } from '../key/key-set.ts'
import { unwrapRaw } from '../raw/raw-fragment.ts'
import type { CteEnvironment, Relation } from './relation.ts'

/** A column of a relation. */
export interface ColumnTerm {
  readonly block: Block
  readonly relation: Relation
  readonly column: string
}

/** Restricts every relation of the block: a WHERE conjunct. */
export const everyRelation = -1

/**
 * A conjunct of WHERE or ON. `restricts` has the bits of the relations whose rows, where they take part in the result
 * and are not NULL-extended, satisfy it.
 */
export interface Fact {
  readonly predicate: OperationNode
  readonly restricts: number
  /** True for an equality of two columns: it stands among the equalities too, and names no key. */
  readonly joins: boolean
}

/** `a.x = b.y` among the facts. */
export interface Equality {
  readonly left: ColumnTerm
  readonly right: ColumnTerm
  readonly restricts: number
  /** Bits of the relations that this equality ties to the others: those it restricts, and the table of a full join. */
  readonly links: number
}

/** One query level: its relations, what is known of their rows, and the level around it. */
export interface Block {
  readonly parent: Block | undefined
  readonly environment: CteEnvironment
  readonly relations: Relation[]
  readonly facts: Fact[]
  readonly equalities: Equality[]
  /** Keys that the level around this one allows for a column. */
  readonly imported: { readonly term: ColumnTerm; readonly keys: KeySet }[]
  /** Bits of the relations that an outer join may extend with NULLs. */
  nullable: number
}

export function newBlock(parent: Block | undefined, environment: CteEnvironment): Block {
  return { parent, environment, relations: [], facts: [], equalities: [], imported: [], nullable: 0 }
}

/** Finds the column that a node names, as PostgreSQL would; `undefined` when it is no plain column or not certain. */
export function resolveColumn(node: OperationNode, block: Block): ColumnTerm | undefined {
  const reference = unwrapRaw(node)
  if (reference.kind === 'ColumnNode') return resolveUnqualified((reference as ColumnNode).column.name, block)
  if (reference.kind !== 'ReferenceNode') return undefined
  const { column, table } = reference as ReferenceNode
  if (column.kind !== 'ColumnNode') return undefined
  const { name } = column.column
  return table ? resolveQualified(table, name, block) : resolveUnqualified(name, block)
}

function resolveQualified(table: TableNode, column: string, start: Block): ColumnTerm | undefined {
  const alias = table.table.identifier.name
  const schema = table.table.schema?.name
  for (let block: Block | undefined = start; block; block = block.parent) {
    for (const relation of block.relations) {
      if (relation.alias !== alias) continue
      if (schema !== undefined && relation.schema !== schema) continue
      return { block, relation, column }
    }
  }
  return undefined
}

function resolveUnqualified(column: string, start: Block): ColumnTerm | undefined {
  for (let block: Block | undefined = start; block; block = block.parent) {
    const owners = block.relations.filter(
      (relation) => relation.columns === undefined || relation.columns.includes(column),
    )
    if (owners.length === 0) continue
    const [owner] = owners
    // A relation of unknown columns may own the name; two owners are an error that PostgreSQL will raise.
    return owners.length === 1 && owner?.columns !== undefined ? { block, relation: owner, column } : undefined
  }
  return undefined
}
