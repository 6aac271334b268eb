import type { ParameterIndex } from '../compile.ts'
import { keyConstraint } from '../key/key-constraint.ts'
import { intersectKeys, type KeySet } from '../key/key-set.ts'
import { type Block, type ColumnTerm, resolveColumn } from './block.ts'
import type { KeyExport, Relation } from './relation.ts'

/** What closures need to know of relations that are queries: which of their columns carry a key. */
export interface ExportContext {
  readonly parameters: ParameterIndex
  exportOf(relation: Relation, column: string, block: Block): KeyExport | undefined
  /** Keys that `predicate` gives to a term by way of a subquery (`k in (select ...)`). */
  subqueryKeys(predicate: Fact['predicate'], terms: readonly ColumnTerm[], block: Block): KeySet | undefined
}

type Fact = Block['facts'][number]

/**
 * The columns that equal `start` in every row where its relation takes part, by the facts that restrict that relation.
 * Crossing into an outer level, the outer relation takes part too, so its own facts hold from there on.
 */
export function equalColumns(start: ColumnTerm): readonly ColumnTerm[] {
  const found: ColumnTerm[] = [start]
  const anchors: Relation[] = [start.relation]
  for (let i = 0; i < found.length; i++) {
    const { block } = found[i] as ColumnTerm
    followEqualities(block, anchors[i] as Relation, i, found, anchors)
    // Facts of the start's own level hold for its rows, wherever the term is; those of levels between may not.
    if (block !== start.block) followEqualities(start.block, start.relation, i, found, anchors)
  }
  return found
}

/** Adds what equals the term at `at` by the equalities of one level that restrict `guard`. */
function followEqualities(owner: Block, guard: Relation, at: number, found: ColumnTerm[], anchors: Relation[]): void {
  const term = found[at] as ColumnTerm
  for (const { left, right, restricts } of owner.equalities) {
    if (!restrictsRelation(restricts, guard)) continue
    const other = sameTerm(left, term) ? right : sameTerm(right, term) ? left : undefined
    if (!other || found.some((known) => sameTerm(known, other))) continue
    found.push(other)
    anchors.push(other.block === term.block ? (anchors[at] as Relation) : other.relation)
  }
}

export function sameTerm(a: ColumnTerm, b: ColumnTerm): boolean {
  return a.relation === b.relation && a.column === b.column
}

function restrictsRelation(restricts: number, relation: Relation): boolean {
  return (restricts & (1 << relation.bit)) !== 0
}

/** After an outer join its nullable side may be NULL; in its own ON, the column is still the table's. */
function mayBeNull(column: ColumnTerm | undefined, fact: Fact, context: ExportContext): boolean {
  if (!column) return false
  const { block, relation } = column
  const bit = 1 << relation.bit
  const extended = fact.restricts !== bit && (block.nullable & bit) !== 0
  return extended || context.exportOf(relation, column.column, block)?.nullable === true
}

/** The keys that a column can have in the rows that matter to the statement. `nullable`: it is no shard key. */
export function keysOfColumn(start: ColumnTerm, context: ExportContext, nullable = false): KeySet {
  const terms = equalColumns(start)
  const sets: KeySet[] = []
  const blocks: Block[] = []
  for (const { block, relation: guard } of terms) {
    // The start is the first of its level, so its relation guards that level's facts.
    if (blocks.includes(block)) continue
    blocks.push(block)
    for (const fact of block.facts) {
      if (fact.joins || !restrictsRelation(fact.restricts, guard)) continue
      sets.push(
        keyConstraint(fact.predicate, {
          parameters: context.parameters,
          isKey: (node) => {
            const column = resolveColumn(node, block)
            return column !== undefined && terms.some((term) => sameTerm(term, column))
          },
          mayBeNull: (node) => nullable || mayBeNull(resolveColumn(node, block), fact, context),
        }),
      )
      const fromSubquery = context.subqueryKeys(fact.predicate, terms, block)
      if (fromSubquery) sets.push(fromSubquery)
    }
    for (const { term, keys } of block.imported) if (terms.some((known) => sameTerm(known, term))) sets.push(keys)
  }
  // A correlated constant may stand at an inner level: `where outer.k = 5` in the subquery says nothing of the outer row.
  for (const term of terms) {
    const exported = context.exportOf(term.relation, term.column, term.block)
    if (exported) sets.push(exported.keys)
  }
  const known = sets.filter(({ kind }) => kind !== 'all' && kind !== 'lookup')
  // A key that is given needs no lookup.
  return intersectKeys(known.length > 0 ? known : sets)
}
