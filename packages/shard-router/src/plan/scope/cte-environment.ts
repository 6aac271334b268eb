import type { OperationNode, WithNode } from 'kysely'
import { refuse } from '../refuse.ts'
import type { Block } from './block.ts'
import type { Cte, CteEnvironment } from './relation.ts'

export const emptyEnvironment: CteEnvironment = Object.freeze({ ctes: new Map() })

const environments = new WeakMap<WithNode, CteEnvironment>()

/** The names in scope below a WITH: each CTE sees those before it, and itself when the WITH is recursive. */
export function cteEnvironment(
  node: WithNode | undefined,
  outer: CteEnvironment,
  parent: Block | undefined,
): CteEnvironment {
  if (!node) return outer
  const known = environments.get(node)
  if (known) return known
  refuseTwins(node)
  let current = outer
  const pending = node.recursive ? node.expressions.map((expression) => nameOf(expression.name.table)) : []
  for (const expression of node.expressions) {
    const name = nameOf(expression.name.table)
    const columns = expression.name.columns?.map((column) => column.column.name)
    const query: OperationNode = expression.expression
    let visible = current
    for (const forward of pending) visible = withCte(visible, recursionTo(forward, query, columns, current, parent))
    const cte: Cte = { name, query, columns, environment: visible, parent, recursive: false }
    pending.shift()
    current = withCte(current, cte)
  }
  environments.set(node, current)
  return current
}

/** PostgreSQL finds this mistake (42712) before any other of the statement. */
function refuseTwins({ expressions }: WithNode): void {
  const names = expressions.map((expression) => nameOf(expression.name.table))
  const twin = names.find((name, index) => names.indexOf(name) < index)
  if (twin === undefined) return
  refuse('UNSUPPORTED_NODE', `WITH has two queries named '${twin}'.`, 'Give each a name of its own.')
}

/** The CTE as it sees itself, or as an earlier one of a recursive WITH sees it. */
function recursionTo(
  name: string,
  query: OperationNode,
  columns: readonly string[] | undefined,
  environment: CteEnvironment,
  parent: Block | undefined,
): Cte {
  return { name, query, columns, environment, parent, recursive: true }
}

function withCte(environment: CteEnvironment, cte: Cte): CteEnvironment {
  return { ctes: new Map(environment.ctes).set(cte.name, cte) }
}

function nameOf(table: { readonly table: { readonly identifier: { readonly name: string } } }): string {
  return table.table.identifier.name
}
