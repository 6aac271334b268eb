import type { BinaryOperationNode, OperationNode, OperatorNode, SelectQueryNode } from 'kysely'
import type { Analyzer } from '../analyzer.ts'
import { type Block, resolveColumn } from '../scope/block.ts'
import { equalColumns } from '../scope/closure.ts'
import { bareQuery, setArms } from '../scope/query-node.ts'
import type { Relation } from '../scope/relation.ts'
import { someNode } from '../walk.ts'
import { isCorrelated } from './correlation.ts'
import { keyObstacle, keyTerms } from './key-ties.ts'
import { outerJoinObstacle } from './outer-join.ts'
import { isRowLocal } from './row-local.ts'
import type { Obstacle, Spread } from './spread.ts'
import { subqueriesOf } from './subqueries.ts'
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
    return subqueriesOf(query, this.analyzer)
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
    return keyObstacle(sharded, block, this)
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
    const keyed = keyTerms(relation, block, this.analyzer).some((start) => {
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
    return isCorrelated(subquery, outer, this.analyzer)
  }
}

function isOuterBlock(candidate: Block, inner: Block): boolean {
  for (let block = inner.parent; block; block = block.parent) if (block === candidate) return true
  return false
}
