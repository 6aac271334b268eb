import {
  type KyselyPlugin,
  type OperationNode,
  OperationNodeTransformer,
  type PluginTransformQueryArgs,
  type PluginTransformResultArgs,
  type PrimitiveValueListNode,
  type QueryId,
  type ValueNode,
} from 'kysely'

/**
 * The same statement text from a tree in which equal nodes are one node, as if each had been made by one builder.
 * `alike`: all values are equal too, so that no node says which parameter it is.
 */
export class SharedNodes extends OperationNodeTransformer implements KyselyPlugin {
  readonly #alike: boolean
  #known = new Map<string, OperationNode>()

  constructor(alike = false) {
    super()
    this.#alike = alike
  }

  transformQuery<N extends OperationNode>({
    node,
    queryId,
  }: Pick<PluginTransformQueryArgs, 'queryId'> & { node: N }): N {
    this.#known = new Map()
    return this.transformNode(node, queryId)
  }

  async transformResult({ result }: PluginTransformResultArgs) {
    return result
  }

  protected override transformNodeImpl<N extends OperationNode>(node: N, queryId?: QueryId): N {
    const made = super.transformNodeImpl(node, queryId)
    const text = JSON.stringify(made, (_, value) => (typeof value === 'bigint' ? `${value}n` : value))
    const known = this.#known.get(text)
    if (known) return known as N
    this.#known.set(text, made)
    return made
  }

  protected override transformValue(node: ValueNode, _?: QueryId): ValueNode {
    return this.#alike && !node.immediate ? { ...node, value: 1 } : node
  }

  protected override transformPrimitiveValueList(node: PrimitiveValueListNode, _?: QueryId): PrimitiveValueListNode {
    return this.#alike ? { ...node, values: node.values.map(() => 1) } : node
  }
}
