import type { Analyzer } from '../analyzer.ts'
import type { Block, ColumnTerm } from '../scope/block.ts'
import { sameTerm } from '../scope/closure.ts'
import type { Relation } from '../scope/relation.ts'
import type { Locality } from './locality.ts'
import type { Obstacle } from './spread.ts'

/** Why sharded relations of a level do not meet on their shards; `undefined` when they do. */
export function keyObstacle(sharded: readonly Relation[], block: Block, locality: Locality): Obstacle | undefined {
  const tied = new Set<Relation>(sharded.slice(0, 1))
  for (let grew = true; grew; ) {
    grew = false
    for (const relation of sharded) {
      if (tied.has(relation) || !isLinked(relation, tied, block, locality)) continue
      tied.add(relation)
      grew = true
    }
  }
  const loose = sharded.find((relation) => !tied.has(relation))
  if (!loose) return undefined
  return {
    code: 'CROSS_SHARD_JOIN',
    reason: `'${loose.alias}' is joined with '${(sharded[0] as Relation).alias}' without an equality of their shard keys`,
  }
}

function isLinked(relation: Relation, tied: ReadonlySet<Relation>, block: Block, locality: Locality): boolean {
  if (relation.lateral && relation.source.kind === 'query' && locality.isTied(relation.source.query, block)) return true
  const { analyzer } = locality
  return [...tied].some(
    (other) => keysMeet(relation, other, block, analyzer) || keysMeet(other, relation, block, analyzer),
  )
}

/** True when a key column of `from` equals a key column of `to` of the same family, by equalities that link `from`. */
function keysMeet(from: Relation, to: Relation, block: Block, analyzer: Analyzer): boolean {
  for (const start of keyTerms(from, block, analyzer)) {
    const family = analyzer.exportOf(from, start.column, block)?.family
    const targets = keyTerms(to, block, analyzer).filter(
      (term) => analyzer.exportOf(to, term.column, block)?.family === family,
    )
    const reached = linkedColumns(start, block)
    if (targets.some((target) => reached.some((term) => sameTerm(term, target)))) return true
  }
  return false
}

/** The columns of a relation that carry its shard key. */
export function keyTerms(relation: Relation, block: Block, analyzer: Analyzer): readonly ColumnTerm[] {
  const { source } = relation
  const columns =
    source.kind === 'table' && source.placement.kind === 'sharded' ? [source.placement.key] : (relation.columns ?? [])
  return columns
    .filter((column) => (analyzer.exportOf(relation, column, block)?.family ?? '') !== '')
    .map((column) => ({ block, relation, column }))
}

/** Columns equal to `start`, by equalities that tie its relation to the others. */
function linkedColumns(start: ColumnTerm, block: Block): readonly ColumnTerm[] {
  const found = [start]
  const bit = 1 << start.relation.bit
  for (const term of found) {
    for (const { left, right, links } of block.equalities) {
      if ((links & bit) === 0) continue
      const other = sameTerm(left, term) ? right : sameTerm(right, term) ? left : undefined
      if (other && !found.some((known) => sameTerm(known, other))) found.push(other)
    }
  }
  return found
}
