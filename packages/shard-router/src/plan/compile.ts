import {
  createQueryId,
  type OperationNode,
  PostgresQueryCompiler,
  type PrimitiveValueListNode,
  type RootOperationNode,
  type ValueNode,
} from 'kysely'
import type { Source } from './source.ts'

/** SQL with the sources of its parameters: bind it to the values of a call to get a statement. */
export interface SqlTemplate {
  readonly sql: string
  readonly sources: readonly Source[]
}

/** Which parameter of the caller's statement a value node became; a list's first. */
export type ParameterIndex = ReadonlyMap<OperationNode, number>

interface RecordedParameter {
  readonly node: OperationNode
  readonly offset: number
  readonly value: unknown
}

const queryId = createQueryId()
let shared: RecordingCompiler | undefined

/** One compiler for all: it is synchronous, and making one costs as much as a compilation. */
function recorder(): RecordingCompiler {
  shared ??= new RecordingCompiler()
  return shared
}

/** Compiles as Kysely does and remembers which node became which parameter. */
class RecordingCompiler extends PostgresQueryCompiler {
  order: RecordedParameter[] = []

  record(root: OperationNode): { sql: string; order: readonly RecordedParameter[] } {
    this.order = []
    const { sql } = this.compileQuery(root as RootOperationNode, queryId)
    return { sql, order: this.order }
  }

  protected override visitValue(node: ValueNode): void {
    if (!node.immediate) this.#record(node, [node.value])
    super.visitValue(node)
  }

  protected override visitPrimitiveValueList(node: PrimitiveValueListNode): void {
    this.#record(node, node.values)
    super.visitPrimitiveValueList(node)
  }

  #record(node: OperationNode, values: readonly unknown[]): void {
    values.forEach((value, offset) => {
      this.order.push({ node, offset, value })
    })
  }
}

let sharedCounter: ParameterCounter | undefined

/** Numbers the value nodes in the order in which Kysely's compiler meets them; writes no text. */
class ParameterCounter extends PostgresQueryCompiler {
  #count = 0
  #first = new Map<OperationNode, number>()

  index(root: RootOperationNode): ParameterIndex {
    this.#count = 0
    this.#first = new Map()
    this.compileQuery(root, queryId)
    return this.#first
  }

  protected override visitValue(node: ValueNode): void {
    if (!node.immediate) this.#add(node, 1)
  }

  protected override visitPrimitiveValueList(node: PrimitiveValueListNode): void {
    this.#add(node, node.values.length)
  }

  #add(node: OperationNode, values: number): void {
    if (!this.#first.has(node)) this.#first.set(node, this.#count)
    this.#count += values
  }

  protected override append(): void {}

  // Names and operators have no parameters.
  protected override visitReference(): void {}
  protected override visitColumn(): void {}
  protected override visitTable(): void {}
  protected override visitIdentifier(): void {}
  protected override visitOperator(): void {}
}

/** Finds the parameter of each value node: those of the caller's statement are in the order of its text. */
export function indexParameters(root: RootOperationNode): ParameterIndex {
  sharedCounter ??= new ParameterCounter()
  return sharedCounter.index(root)
}

/** Value nodes that the planner made; they carry their source instead of a value. */
const plannedSources = new WeakMap<OperationNode, Source>()

/** A parameter whose value comes from `source` on each call. */
export function sourceNode(source: Source): ValueNode {
  const node: ValueNode = { kind: 'ValueNode', value: undefined }
  plannedSources.set(node, source)
  return node
}

export function plannedSource(node: OperationNode): Source | undefined {
  return plannedSources.get(node)
}

/** Compiles a rewritten tree; parameters are traced to the caller's by the identity of their nodes. */
export function compileTemplate(root: OperationNode, index: ParameterIndex): SqlTemplate {
  const { sql, order } = recorder().record(root)
  const sources = order.map(({ node, offset, value }): Source => {
    const planned = plannedSources.get(node)
    if (planned) return planned
    const first = index.get(node)
    return first === undefined ? { from: 'constant', value } : { from: 'parameter', index: first + offset }
  })
  return Object.freeze({ sql, sources: Object.freeze(sources) })
}
