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

/** The same statement text with other values of the same types, NULL among them: what a plan may not remember. */
export class OtherValues extends OperationNodeTransformer implements KyselyPlugin {
  /** Values that were equal do not stay so. */
  #place = 0

  transformQuery<N extends OperationNode>({
    node,
    queryId,
  }: Pick<PluginTransformQueryArgs, 'queryId'> & { node: N }): N {
    this.#place = 0
    return this.transformNode(node, queryId)
  }

  async transformResult({ result }: PluginTransformResultArgs) {
    return result
  }

  protected override transformValue(node: ValueNode, _?: QueryId): ValueNode {
    return node.immediate ? node : { ...node, value: this.#other(node.value) }
  }

  protected override transformPrimitiveValueList(node: PrimitiveValueListNode, _?: QueryId): PrimitiveValueListNode {
    return { ...node, values: node.values.map((value) => this.#other(value)) }
  }

  /** A function of the value and its place. */
  #other(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((element) => this.#other(element))
    this.#place += 1
    switch (typeof value) {
      case 'number':
        if (value % 13 === 7) return null
        return value + (value % 3 === 0 ? 2 : -1) + (this.#place % 3)
      case 'bigint':
        return value + 1n
      case 'boolean':
        return !value
      case 'string':
        return this.#otherText(value)
      default:
        return value
    }
  }

  #otherText(value: string): string | null {
    if (value.length % 11 === 6) return null
    if (/^-?\d+$/.test(value)) return String(BigInt(value) + BigInt(this.#place % 3))
    const uuid = /^([0-9a-f]{8}-.*-)(\d{12})$/.exec(value)
    if (uuid) return `${uuid[1]}${String(Number(uuid[2]) + 7919).padStart(12, '0')}`
    if (/^\d{4}-\d\d-\d\d$/.test(value)) return new Date(Date.parse(value) + 86_400_000).toISOString().slice(0, 10)
    const texts = ['k', 'K', 'ö', '10', 'a b', 'b', 'ä', 'z']
    const at = texts.indexOf(value)
    return at < 0 ? value : (texts[(at + this.#place) % texts.length] as string)
  }
}
