import type { BinaryOperationNode, OperationNode, OperatorNode, RawNode, SelectQueryNode } from 'kysely'
import { type Analyzer, bareQuery, setArms } from '../analyzer.ts'
import { type Block, type ColumnTerm, resolveColumn } from '../scope/block.ts'
import { equalColumns, sameTerm } from '../scope/closure.ts'
import { isQuery } from '../scope/from-clause.ts'
import { namesOuter } from '../scope/outer-names.ts'
import type { Relation } from '../scope/relation.ts'
import { childrenOf, someNode } from '../walk.ts'
import { outerJoinObstacle } from './outer-join.ts'
import { isRowLocal } from './row-local.ts'
import type { Obstacle, Spread } from './spread.ts'
import { isWriteLocal } from './write-local.ts'

/** Decides, for each part of an analyzed statement, whether it can run shard by shard. */
export class Locality {
  readonly analyzer: Analyzer
  readonly #spreads = new Map<OperationNode, Spread>()

  constructor(analyzer: Analyzer) {
    this.analyzer = analyzer
  }

  spreadOf(query: OperationNode): Spread {
    const bare = bareQuery(query)
    const known = this.#spreads.get(bare)
    if (known) return known
    // A recursive CTE meets itself here: its own reference is wherever its rows are.
    this.#spreads.set(bare, 'sharded')
    const spread = !this.#touchesShards(bare) ? 'everywhere' : this.#isLocal(bare) ? 'sharded' : 'whole'
    this.#spreads.set(bare, spread)
    return spread
  }

  spreadOfRelation(relation: Relation): Spread {
    const { source } = relation
    switch (source.kind) {
      case 'table':
        return source.placement.kind === 'sharded'
          ? 'sharded'
          : source.placement.kind === 'single'
            ? 'whole'
            : 'everywhere'
      case 'query':
        return this.spreadOf(source.query)
      case 'recursion':
        return this.#touchesShards(bareQuery(source.cte.query)) ? 'sharded' : 'everywhere'
      case 'replicated':
        return 'everywhere'
      case 'system':
        return 'whole'
    }
  }

  /** True when some table in the query, at any depth, has different rows on different shards. */
  #touchesShards(query: OperationNode, seen = new Set<OperationNode>()): boolean {
    if (seen.has(query)) return false
    seen.add(query)
    for (const level of [query, ...setArms(query)]) {
      const block = this.analyzer.knownBlock(level)
      for (const { source } of block.relations) {
        if (source.kind === 'system') return true
        if (source.kind === 'table' && source.placement.kind !== 'reference') return true
        if (source.kind === 'query' && this.#touchesShards(bareQuery(source.query), seen)) return true
      }
      for (const subquery of this.subqueries(level)) if (this.#touchesShards(subquery, seen)) return true
    }
    return false
  }

  /** Subqueries in the expressions of one level: not FROM, not WITH, not the other arms. */
  subqueries(query: OperationNode): readonly OperationNode[] {
    const found: OperationNode[] = []
    const skip = new Set<OperationNode>(setArms(query))
    for (const { source } of this.analyzer.knownBlock(query).relations) {
      if (source.kind === 'query' && !source.cte) skip.add(bareQuery(source.query))
    }
    const visit = (node: OperationNode): void => {
      if (node.kind === 'WithNode' || skip.has(node)) return
      // What MERGE does in its WHENs are no statements of their own.
      const action = query.kind === 'MergeQueryNode' && isQuery(node) && node.kind !== 'SelectQueryNode'
      if (isQuery(node) && !action) found.push(node)
      else for (const child of childrenOf(node)) visit(child)
    }
    for (const child of childrenOf(query)) visit(child)
    return found
  }

  #isLocal(query: OperationNode): boolean {
    const node = query as SelectQueryNode
    if (query.kind !== 'SelectQueryNode') return isWriteLocal(query, this)
    if (node.limit || node.offset || node.fetch) return false
    const arms = [query, ...setArms(query)]
    if (arms.length > 1 && !this.#areArmsLocal(node, arms)) return false
    return arms.every((arm) => this.#isLevelLocal(arm as SelectQueryNode))
  }

  /** UNION ALL adds rows up; the other set operations compare rows, which must carry the key to meet on one shard. */
  #areArmsLocal(node: SelectQueryNode, arms: readonly OperationNode[]): boolean {
    if (arms.slice(1).some((arm) => this.spreadOf(arm) !== 'sharded')) return false
    if ((node.setOperations ?? []).every((operation) => operation.operator === 'union' && operation.all)) return true
    const block = this.analyzer.knownBlock(node)
    const exports = this.analyzer.exportsOf(node, block.environment, block.parent)
    return exports.some((own) => own !== undefined && own.family !== '' && !own.nullable)
  }

  #isLevelLocal(node: SelectQueryNode): boolean {
    const block = this.analyzer.knownBlock(node)
    if (block.relations.some((relation) => this.spreadOfRelation(relation) === 'whole')) return false
    if (
      this.obstacle(node, block) ||
      !block.relations.some((relation) => this.spreadOfRelation(relation) === 'sharded')
    ) {
      return false
    }
    if (this.subqueries(node).some((subquery) => this.subqueryPlace(subquery, node, block) !== 'stays')) return false
    return this.isRowLocal(node, block)
  }

  /** True when only uncorrelated subqueries, which can run before, keep a query from running shard by shard. */
  waitsForSubqueries(query: OperationNode): boolean {
    const node = query as SelectQueryNode
    if (query.kind !== 'SelectQueryNode' || node.setOperations || node.limit || node.offset || node.fetch) return false
    const block = this.analyzer.knownBlock(node)
    const spreads = block.relations.map((relation) => this.spreadOfRelation(relation))
    if (spreads.includes('whole') || !spreads.includes('sharded') || this.obstacle(node, block)) return false
    const places = this.subqueries(node).map((subquery) => this.subqueryPlace(subquery, node, block))
    return places.includes('first') && !places.includes('refused') && this.isRowLocal(node, block)
  }

  /** True when groups, duplicates and window partitions never span shards: each is bound to one shard key. */
  isRowLocal(node: SelectQueryNode, block: Block): boolean {
    return isRowLocal(node, block, this.analyzer)
  }

  /** Why a level's FROM cannot be joined shard by shard; `undefined` when it can. */
  obstacle(query: OperationNode, block: Block): Obstacle | undefined {
    const spread = new Map(block.relations.map((relation) => [relation, this.spreadOfRelation(relation)]))
    const sharded = block.relations.filter((relation) => spread.get(relation) === 'sharded')
    const lonely = block.relations.find(
      (relation) => spread.get(relation) === 'whole' && relation.source.kind !== 'query',
    )
    if (lonely && block.relations.length > 1) {
      return {
        code: 'CROSS_SHARD_JOIN',
        reason: `'${lonely.alias}' lives on one shard and is joined with tables on others`,
      }
    }
    return outerJoinObstacle(query, block, spread) ?? this.keyObstacle(sharded, block)
  }

  /** Why sharded relations of a level do not meet on their shards; `undefined` when they do. */
  keyObstacle(sharded: readonly Relation[], block: Block): Obstacle | undefined {
    const tied = new Set<Relation>(sharded.slice(0, 1))
    for (let grew = true; grew; ) {
      grew = false
      for (const relation of sharded) {
        if (tied.has(relation) || !this.#isLinked(relation, tied, block)) continue
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

  #isLinked(relation: Relation, tied: ReadonlySet<Relation>, block: Block): boolean {
    if (relation.lateral && relation.source.kind === 'query' && this.isTied(relation.source.query, block)) return true
    return [...tied].some((other) => this.#keysMeet(relation, other, block) || this.#keysMeet(other, relation, block))
  }

  /** True when a key column of `from` equals a key column of `to` of the same family, by equalities that link `from`. */
  #keysMeet(from: Relation, to: Relation, block: Block): boolean {
    for (const start of this.#keyTerms(from, block)) {
      const family = this.analyzer.exportOf(from, start.column, block)?.family
      const targets = this.#keyTerms(to, block).filter(
        (term) => this.analyzer.exportOf(to, term.column, block)?.family === family,
      )
      const reached = linkedColumns(start, block)
      if (targets.some((target) => reached.some((term) => sameTerm(term, target)))) return true
    }
    return false
  }

  /** The columns of a relation that carry its shard key. */
  #keyTerms(relation: Relation, block: Block): readonly ColumnTerm[] {
    const { source } = relation
    const columns =
      source.kind === 'table' && source.placement.kind === 'sharded' ? [source.placement.key] : (relation.columns ?? [])
    return columns
      .filter((column) => (this.analyzer.exportOf(relation, column, block)?.family ?? '') !== '')
      .map((column) => ({ block, relation, column }))
  }

  /** Whether a subquery may run on the shard of the row it is computed for, can be run before, or neither. */
  subqueryPlace(subquery: OperationNode, query: OperationNode, block: Block): 'stays' | 'first' | 'refused' {
    if (!this.#touchesShards(subquery)) return 'stays'
    if (this.isTied(subquery, block) || this.#isKeyMembership(subquery, query, block)) return 'stays'
    return this.isCorrelated(subquery, block) ? 'refused' : 'first'
  }

  /** True when every sharded relation in the subquery is bound to the shard key of a row outside. */
  isTied(subquery: OperationNode, outer: Block): boolean {
    const bare = bareQuery(subquery)
    return [bare, ...setArms(bare)].every((arm) => {
      const block = this.analyzer.knownBlock(arm)
      const own = block.relations.every((relation) => this.#isRelationTied(relation, block, outer))
      return (
        own &&
        this.subqueries(arm).every(
          (inner) => !this.#touchesShards(inner) || this.isTied(inner, outer) || this.isTied(inner, block),
        )
      )
    })
  }

  #isRelationTied(relation: Relation, block: Block, outer: Block): boolean {
    const spread = this.spreadOfRelation(relation)
    if (spread === 'everywhere') return true
    const keyed = this.#keyTerms(relation, block).some((start) => {
      const family = this.analyzer.exportOf(relation, start.column, block)?.family
      return equalColumns(start).some((term) => {
        if (!isOuterBlock(term.block, block)) return false
        if (this.spreadOfRelation(term.relation) !== 'sharded') return false
        return this.analyzer.exportOf(term.relation, term.column, term.block)?.family === family
      })
    })
    if (keyed) return spread === 'sharded'
    return relation.source.kind === 'query' && !relation.source.cte && this.isTied(relation.source.query, outer)
  }

  /** `key in (select key ...)`: only rows of the same key can match, and they are on the same shard. */
  #isKeyMembership(subquery: OperationNode, query: OperationNode, block: Block): boolean {
    if (this.spreadOf(subquery) !== 'sharded') return false
    const inner = this.analyzer.knownBlock(bareQuery(subquery))
    const own = this.analyzer.exportsOf(subquery, inner.environment, inner.parent)[0]
    if (!own || own.family === '' || own.nullable) return false
    return someNode(query, (node) => {
      if (node.kind !== 'BinaryOperationNode') return false
      const { leftOperand, operator, rightOperand } = node as BinaryOperationNode
      if (bareQuery(rightOperand) !== bareQuery(subquery)) return false
      if (operator.kind !== 'OperatorNode' || !['in', 'not in'].includes((operator as OperatorNode).operator))
        return false
      const term = resolveColumn(leftOperand, block)
      if (!term || term.block !== block || this.spreadOfRelation(term.relation) !== 'sharded') return false
      const outerExport = this.analyzer.termExport(term)
      return outerExport?.family === own.family && !outerExport.nullable
    })
  }

  /** True when the subquery may use a column of a level around it. */
  isCorrelated(subquery: OperationNode, outer: Block): boolean {
    const inside = new Set<Block>()
    const collect = (query: OperationNode): void => {
      for (const arm of [bareQuery(query), ...setArms(bareQuery(query))]) {
        const block = this.analyzer.knownBlock(arm)
        inside.add(block)
        for (const { source } of block.relations) if (source.kind === 'query' && !source.cte) collect(source.query)
        for (const inner of this.subqueries(arm)) collect(inner)
      }
    }
    collect(subquery)
    return [...inside].some((block) => this.#refersOut(block, inside, outer))
  }

  #refersOut(block: Block, inside: ReadonlySet<Block>, outer: Block): boolean {
    const query = this.analyzer.queryOf(block)
    const check = (node: OperationNode): boolean => {
      if (node !== query && isQuery(node)) return false
      if (node.kind === 'RawNode' || node.kind === 'ReferenceNode' || node.kind === 'ColumnNode') {
        const term = resolveColumn(node, block)
        if (term) return !inside.has(term.block)
        if (node.kind === 'ReferenceNode') return this.analyzer.mayBeOuter(node, block, outer)
        if (node.kind === 'RawNode' && namesOuter(node as RawNode, block, inside, outer)) return true
      }
      return childrenOf(node).some(check)
    }
    return query !== undefined && childrenOf(query).some(check)
  }
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

function isOuterBlock(candidate: Block, inner: Block): boolean {
  for (let block = inner.parent; block; block = block.parent) if (block === candidate) return true
  return false
}
