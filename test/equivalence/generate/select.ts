import type { Query, Step } from '../code.ts'
import type { Kind, Open } from '../world/columns.ts'
import { clausesIn } from './clauses.ts'
import { condition, keyCondition } from './conditions.ts'
import { from } from './from.ts'
import { groups } from './groups.ts'
import { subqueryIn } from './membership.ts'
import { rows } from './rows.ts'
import type { Scope } from './scope.ts'
import { windows } from './windows.ts'
import { withBefore } from './write-clauses.ts'

export interface Output {
  readonly name: string
  readonly kind: Kind
  readonly shardKey: boolean
  readonly open?: Open | undefined
}

/** Select list and what comes after WHERE. */
export interface Shape {
  readonly steps: readonly Step[]
  readonly outputs: readonly Output[]
  /** Outputs that no two rows have equal. */
  readonly unique: readonly string[]
}

export interface MadeQuery extends Shape {
  readonly query: Query
}

type Outer = Omit<Scope, 'relations'>

/** A SELECT of any shape. `root` is what it is called on: `db`, or `eb` inside another query. */
export function selectQuery(outer: Outer, root: 'db' | 'eb'): MadeQuery {
  const { random } = outer
  const own = from(outer, root)
  const scope: Scope = { ...outer, relations: own.relations }
  const make = random.weighted([
    [4, rows, 'select all', 'distinct', 'distinct on', 'subquery in select', 'json subquery', 'for update'],
    [4, groups, ...clausesIn('groups', 'aggregates')],
    [outer.depth === 0 ? 1.4 : 0.5, windows, ...clausesIn('windows')],
  ] as const)
  const shape = make(scope)
  // WITH belongs to `db`; inside an expression only FROM can start.
  const before = root === 'db' ? own.before : []
  const more = root === 'db' && outer.depth === 0 && before.length > 0 ? withBefore(scope) : { before: [], filters: [] }
  const steps = [...before, ...more.before, ...own.steps, ...where(scope), ...more.filters, ...shape.steps]
  const query: Query = { head: [root], steps }
  return { ...shape, query }
}

export function where(scope: Scope): Step[] {
  const { random } = scope
  const steps: Step[] = []
  const count = random.weighted([
    [4, 0],
    [4, 1, 'where', 'exists', 'any/all', 'tuple', 'is distinct from'],
    [2, 2, 'exists', 'any/all', 'tuple', 'is distinct from'],
  ] as const)
  for (let i = 0; i < count; i++) steps.push({ tag: 'where', parts: [`.where((eb) => ${condition(scope)})`] })
  if (scope.depth < 2 && random.chance(scope.depth > 0 ? 0.04 : 0.1, 'subquery in where')) steps.push(subqueryIn(scope))
  if (random.chance(0.22, 'where key') && scope.relations.some(({ keys }) => keys.length > 0)) {
    steps.push({ tag: 'where key', parts: [`.where((eb) => ${keyCondition(scope)})`] })
  }
  return steps
}
