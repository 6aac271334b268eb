import {
  AliasNode,
  ColumnNode,
  FromNode,
  IdentifierNode,
  type OperationNode,
  RawNode,
  ReferenceNode,
  SelectAllNode,
  SelectionNode,
  type SelectQueryNode,
  TableNode,
} from 'kysely'

/** Names that stand in a template for what is known only when the partial rows have arrived. */
export const slots = Object.freeze({
  /** The relation of a gathered result, by its number. */
  gather: (step: number) => `shardwright:gather:${step}`,
  numberOf: (gather: string) => Number(gather.slice('shardwright:gather:'.length)),
  /** The type of a column of the partial rows, by its position from 0. */
  type: (position: number) => `shardwright:type:${position}`,
  /** All visible columns under their names. */
  outputs: 'shardwright:outputs',
})

/** The alias of the partial rows in a final statement. */
export const partialAlias = 'p'

/** `"p"."c1"`: a column of the partial rows, by position from 0. */
export function partialColumn(position: number): OperationNode {
  return ReferenceNode.create(ColumnNode.create(`c${position + 1}`), TableNode.create(partialAlias))
}

export function aliased(node: OperationNode, name: string): SelectionNode {
  return SelectionNode.create(AliasNode.create(node, IdentifierNode.create(name)))
}

/** `fragments[0] nodes[0] fragments[1] ...` */
export function rawNode(fragments: readonly string[], nodes: readonly OperationNode[]): OperationNode {
  return RawNode.create(fragments, nodes)
}

/** `cast(<node> as <type of partial column>)` */
export function castToPartial(node: OperationNode, position: number): OperationNode {
  return rawNode(['cast(', ' as ', ')'], [node, IdentifierNode.create(slots.type(position))])
}

/** `from <gathered relation> as p` */
export function fromGather(step: number): FromNode {
  return FromNode.create([AliasNode.create(TableNode.create(slots.gather(step)), IdentifierNode.create(partialAlias))])
}

/** `select * from <gathered relation>` */
export function selectGather(step: number): SelectQueryNode {
  return {
    kind: 'SelectQueryNode',
    from: FromNode.create([AliasNode.create(TableNode.create(slots.gather(step)), IdentifierNode.create(`g${step}`))]),
    selections: [SelectionNode.create(SelectAllNode.create())],
  }
}

/** A node without some of its clauses. */
export function without<N extends OperationNode, K extends keyof N>(node: N, ...clauses: readonly K[]): N {
  const copy = { ...node }
  for (const clause of clauses) delete copy[clause]
  return copy
}

/** WITH, FROM, JOIN and WHERE of a level: what gives its rows, without what is computed from them. */
export function rowSource(node: SelectQueryNode): SelectQueryNode {
  return without(
    node,
    'selections',
    'groupBy',
    'having',
    'orderBy',
    'limit',
    'offset',
    'fetch',
    'frontModifiers',
    'distinctOn',
  )
}
