import { ColumnNode, IdentifierNode, type OperationNode, ReferenceNode, type SelectionNode, TableNode } from 'kysely'
import { compileTemplate, type ParameterIndex } from '../compile.ts'
import type { Block } from '../scope/block.ts'
import { resolveColumn } from '../scope/block.ts'
import { isQuery } from '../scope/from-clause.ts'
import { mapNode } from '../walk.ts'
import { aliased } from './nodes.ts'

/** Equal signatures are equal expressions to PostgreSQL: same text, same parameters, columns by what they resolve to. */
export function signatureOf(node: OperationNode, block: Block, parameters: ParameterIndex): string {
  const canonical = mapNode(node, (current) => {
    if (isQuery(current)) return current
    const term =
      current.kind === 'ReferenceNode' || current.kind === 'RawNode' ? resolveColumn(current, block) : undefined
    if (!term) return undefined
    const level = term.block === block ? 'own' : 'outer'
    return ReferenceNode.create(ColumnNode.create(term.column), TableNode.create(`${level} ${term.relation.bit}`))
  })
  const { sql, sources } = compileTemplate(canonical, parameters)
  const places = sources.map((source) =>
    source.from === 'parameter' ? `$${source.index}` : JSON.stringify(source, bigintText),
  )
  return `${sql}|${places.join()}`
}

function bigintText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value
}

/** The columns that each shard sends: expressions, each once. */
export class PartialColumns {
  readonly #positions = new Map<string, number>()
  readonly #nodes: OperationNode[] = []
  readonly #block: Block
  readonly #parameters: ParameterIndex

  constructor(block: Block, parameters: ParameterIndex) {
    this.#block = block
    this.#parameters = parameters
  }

  /** The position of an expression, from 0; added when it is new. */
  add(node: OperationNode): number {
    const signature = signatureOf(node, this.#block, this.#parameters)
    const known = this.#positions.get(signature)
    if (known !== undefined) return known
    const position = this.#nodes.push(node) - 1
    this.#positions.set(signature, position)
    return position
  }

  get count(): number {
    return this.#nodes.length
  }

  get nodes(): readonly OperationNode[] {
    return this.#nodes
  }

  selections(): readonly SelectionNode[] {
    return this.#nodes.map((node, position) => aliased(node, `c${position + 1}`))
  }

  identifiers(): readonly IdentifierNode[] {
    return this.#nodes.map((_, position) => IdentifierNode.create(`c${position + 1}`))
  }
}
