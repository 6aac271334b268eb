import type { Schema } from '@shardwright/core'
import type { OperationNode, RootOperationNode } from 'kysely'
import type { Access } from './access.ts'
import type { Catalog } from './catalog.ts'
import type { ParameterIndex } from './compile.ts'
import { KeyExports } from './key/key-exports.ts'
import type { KeySet } from './key/key-set.ts'
import { type GatheredColumns, Levels } from './levels.ts'
import type { Block, ColumnTerm } from './scope/block.ts'
import type { ExportContext } from './scope/closure.ts'
import type { NameContext } from './scope/from-clause.ts'
import type { Output } from './scope/outputs.ts'
import type { CteEnvironment, KeyExport, Relation } from './scope/relation.ts'
import { TableAccesses } from './table-accesses.ts'

/** Reads a statement level by level: its tables, the keys that their rows can have, and where a key comes out again. */
export class Analyzer implements NameContext, ExportContext {
  readonly schema: Schema
  readonly catalog: Catalog
  readonly parameters: ParameterIndex
  readonly gathered: GatheredColumns
  readonly #levels: Levels
  readonly #exports: KeyExports
  #accesses: readonly Access[] = []

  constructor(schema: Schema, catalog: Catalog, parameters: ParameterIndex, gathered: GatheredColumns = new Map()) {
    this.schema = schema
    this.catalog = catalog
    this.parameters = parameters
    this.gathered = gathered
    this.#levels = new Levels(schema, catalog, gathered)
    this.#exports = new KeyExports(this.#levels, parameters)
  }

  /** `flat`: the statement has no subquery, so nobody need look for one. */
  analyze(root: RootOperationNode, flat = false): void {
    this.#accesses = new TableAccesses(this, flat).of(root)
  }

  /** Every use of a table in what was analyzed. */
  get accesses(): readonly Access[] {
    return this.#accesses
  }

  /** Every level that was analyzed, with its query. */
  get levels(): Iterable<readonly [OperationNode, Block]> {
    return this.#levels.all
  }

  blockOf(query: OperationNode, environment: CteEnvironment, parent: Block | undefined): Block {
    return this.#levels.blockOf(query, environment, parent)
  }

  knownBlock(query: OperationNode): Block {
    return this.#levels.knownBlock(query)
  }

  adopt(copy: OperationNode, block: Block): void {
    this.#levels.adopt(copy, block)
  }

  queryOf(block: Block): OperationNode | undefined {
    return this.#levels.queryOf(block)
  }

  mayBeOuter(node: OperationNode, block: Block, outer: Block): boolean {
    return this.#levels.mayBeOuter(node, block, outer)
  }

  columnsOf(
    query: OperationNode,
    environment: CteEnvironment,
    parent: Block | undefined,
  ): readonly string[] | undefined {
    return this.#levels.columnsOf(query, environment, parent)
  }

  outputs(query: OperationNode, block: Block): readonly Output[] | undefined {
    return this.#levels.outputs(query, block)
  }

  exportOf(relation: Relation, column: string, block: Block): KeyExport | undefined {
    return this.#exports.exportOf(relation, column, block)
  }

  exportsOf(
    query: OperationNode,
    environment: CteEnvironment,
    parent: Block | undefined,
  ): readonly (KeyExport | undefined)[] {
    return this.#exports.exportsOf(query, environment, parent)
  }

  termExport(term: ColumnTerm): KeyExport | undefined {
    return this.#exports.termExport(term)
  }

  subqueryKeys(predicate: OperationNode, terms: readonly ColumnTerm[], block: Block): KeySet | undefined {
    return this.#exports.subqueryKeys(predicate, terms, block)
  }
}
