import type { OperationNode, TableNode } from 'kysely'
import type { Analyzer } from '../analyzer.ts'
import { refuse } from '../refuse.ts'
import type { Block } from '../scope/block.ts'
import { bareQuery, setArms } from '../scope/query-node.ts'
import type { Cte, CteEnvironment, Relation } from '../scope/relation.ts'
import { someNode } from '../walk.ts'
import type { Locality } from './locality.ts'
import { relationsToGather } from './outer-join.ts'
import { rowsOfTable } from './table-rows.ts'

/** A part of a statement that runs over all shards before the rest. */
export interface WholePart {
  readonly query: OperationNode
  readonly name: string
  /** The level in which the part stands. */
  readonly block: Block
  /** The CTEs that the part can see: a CTE sees those before it, not all of its level's. */
  readonly environment: CteEnvironment
  /** Set when the part is the rows of one table of the level; its columns. */
  readonly table?: Relation
  readonly columns?: readonly string[]
}

/**
 * Derived tables, CTEs and subqueries that cannot run shard by shard but can run before the rest, and the tables whose
 * rows have to be in one place: those an outer join would miss on a shard that keeps the row of a reference table.
 */
export function wholeParts(root: OperationNode, analyzer: Analyzer, locality: Locality): readonly WholePart[] {
  const finder = new PartFinder(root, analyzer, locality)
  finder.visit(bareQuery(root))
  return finder.parts
}

/** All that a write reads and that differs between shards, but its target. */
export function sourceParts(root: OperationNode, analyzer: Analyzer, locality: Locality): readonly WholePart[] {
  const finder = new PartFinder(root, analyzer, locality)
  finder.sources(root)
  return finder.parts
}

class PartFinder {
  readonly parts: WholePart[] = []
  readonly #root: OperationNode
  readonly #analyzer: Analyzer
  readonly #locality: Locality
  readonly #visited = new Set<OperationNode>()

  constructor(root: OperationNode, analyzer: Analyzer, locality: Locality) {
    this.#root = root
    this.#analyzer = analyzer
    this.#locality = locality
  }

  visit(query: OperationNode): void {
    if (this.#visited.has(query)) return
    this.#visited.add(query)
    const block = this.#analyzer.knownBlock(query)
    const kept = relationsToGather(query, block, this.#locality)
    const everywhere = block.relations.every(
      (relation) => kept.has(relation) || this.#locality.spreadOfRelation(relation) !== 'sharded',
    )
    for (const relation of block.relations) this.#relation(relation, block, kept, everywhere)
    for (const subquery of this.#locality.subqueries(query)) {
      const place = this.#locality.subqueryPlace(subquery, query, block)
      if (place === 'first') this.#query(subquery, 'a subquery', block, block.environment)
      else if (place === 'refused' && everywhere) this.#inside(subquery)
      else if (place === 'refused') refuseCorrelated('a subquery')
      else if (everywhere && kept.size > 0) this.#follow(subquery, block)
    }
    for (const arm of setArms(query)) this.visit(arm)
  }

  sources(write: OperationNode): void {
    this.#inside(write, this.#analyzer.knownBlock(write).relations[0])
  }

  #relation(relation: Relation, block: Block, kept: ReadonlySet<Relation>, everywhere: boolean): void {
    const { source } = relation
    if (source.kind === 'table' && kept.has(relation)) this.#table(relation, block)
    if (source.kind !== 'query') return
    const inner = bareQuery(source.query)
    if (!kept.has(relation)) {
      if (relation.lateral && this.#locality.isTied(inner, block)) return
      if (this.#locality.spreadOf(inner) !== 'whole') return
      if (this.#locality.waitsForSubqueries(inner)) {
        this.visit(inner)
        return
      }
    }
    const outer = source.cte ? source.cte.parent : relation.lateral ? block : block.parent
    if (outer && this.#locality.isCorrelated(inner, outer)) {
      if (everywhere && !source.cte) this.#inside(inner)
      else refuseCorrelated(relation.alias)
    } else {
      this.#derived(relation, block)
    }
  }

  #derived(relation: Relation, block: Block): void {
    const { source } = relation
    if (source.kind !== 'query') return
    if (source.cte && isSelfReading(source.cte)) refuseRecursive(source.cte.name)
    const environment = source.cte ? source.cte.environment : block.environment
    this.#query(bareQuery(source.query), relation.alias, block, environment)
  }

  #query(query: OperationNode, name: string, block: Block, environment: CteEnvironment): void {
    this.parts.push({ query, name, block, environment })
  }

  #table(relation: Relation, block: Block): void {
    const { query, columns } = rowsOfTable(relation, block, this.#root, this.#analyzer)
    this.parts.push({ query, name: relation.alias, block, environment: block.environment, table: relation, columns })
  }

  /** A correlated query over rows that every shard has: its own tables travel, and it is computed where they meet. */
  #inside(query: OperationNode, target?: Relation): void {
    for (const arm of [bareQuery(query), ...setArms(bareQuery(query))]) {
      const block = this.#analyzer.knownBlock(arm)
      for (const relation of block.relations) if (relation !== target) this.#insideRelation(relation, block)
      for (const subquery of this.#locality.subqueries(arm)) this.#follow(subquery, block)
    }
  }

  /** A subquery whose outer rows are not on their shards any more: what it reads goes where they are. */
  #follow(subquery: OperationNode, block: Block): void {
    if (this.#locality.spreadOf(subquery) === 'everywhere') return
    if (this.#locality.isCorrelated(subquery, block)) this.#inside(subquery)
    else this.#query(subquery, 'a subquery', block, block.environment)
  }

  #insideRelation(relation: Relation, block: Block): void {
    if (this.#locality.spreadOfRelation(relation) === 'everywhere') return
    const { source } = relation
    if (source.kind === 'table') this.#table(relation, block)
    else if (source.kind !== 'query') refuseCorrelated(relation.alias)
    else if (!source.cte && this.#locality.isCorrelated(source.query, block)) this.#inside(source.query)
    else this.#derived(relation, block)
  }
}

export function refuseCorrelated(name: string): never {
  return refuse(
    'CROSS_SHARD_SUBQUERY',
    `${name === 'a subquery' ? 'A correlated subquery' : `'${name}'`} reads rows that may be on another shard than the row it is computed for.`,
    'Correlate on the shard key (inner.key = outer.key), or run the subquery first and pass its result.',
  )
}

function refuseRecursive(name: string): never {
  return refuse(
    'UNSUPPORTED_MERGE',
    `The recursive CTE '${name}' would follow rows from shard to shard.`,
    'Join each step on the shard key, or give the key in WHERE.',
  )
}

/** True for a CTE of WITH RECURSIVE that reads itself; otherwise its own name means the table. */
export function isSelfReading({ name, query, environment }: Cte): boolean {
  return environment.ctes.get(name)?.recursive === true && reads(name, query)
}

/** True when a table of this name stands anywhere in the node. */
export function reads(name: string, node: OperationNode): boolean {
  return someNode(node, (current) => {
    if (current.kind !== 'TableNode') return false
    const { identifier, schema } = (current as TableNode).table
    return schema === undefined && identifier.name === name
  })
}
