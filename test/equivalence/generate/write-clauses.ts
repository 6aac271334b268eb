import { type Query, quoted, type Step } from '../code.ts'
import { filledColumns, keyOf, type TableName } from '../world/columns.ts'
import { clausesIn } from './clauses.ts'
import { condition, keyCondition } from './conditions.ts'
import { column } from './expressions.ts'
import { from, type Outer } from './from.ts'
import { subqueryIn } from './membership.ts'
import { type Scope, tableRelation } from './scope.ts'

export function scopeOf(outer: Outer, table: TableName, alias: string): Scope {
  return { ...outer, relations: [tableRelation(table, alias)] }
}

export function target(outer: Outer): TableName {
  return outer.random.weighted<TableName>([
    [5, 't'],
    [4, 'u'],
    [2, 'r'],
    [1, 'x'],
    [1, 'p'],
    [0.3, 'o'],
    [2.5, 'c'],
    [0.3, 'e'],
    [1, 'q'],
  ])
}

export function returning(table: TableName, random: Scope['random'], chance = 0.45): Step[] {
  if (!random.chance(chance, 'returning')) return []
  const key = keyOf[table]?.column
  const names = key === undefined ? "['id', 'g']" : `['${key}', 'id', 'g']`
  const parts = random.pick([
    `.returning(${names})`,
    filledColumns[table] ? `.returning(['id', ${isFresh}])` : '.returningAll()',
    ".returning((eb) => ['id', eb('g', '+', 1).as('more')])",
  ])
  return [{ tag: 'returning', parts: [parts] }]
}

/** Whether the row's moment is the statement's, or one that was given to it. */
const isFresh = "sql`at > now() - interval '1 hour' and at <= now()`.as('fresh')"

export const nestedClauses = clausesIn(
  'joins',
  'sources',
  'selections',
  'groups',
  'aggregates',
  'windows',
  'sets',
  'nested',
)

/** WITH before a statement, read by a condition of it; `plain`: without RECURSIVE. */
export function withBefore(
  scope: Scope,
  plain = false,
): { readonly before: readonly Step[]; readonly filters: readonly Step[] } {
  const { random } = scope
  const ctes = ['cte', 'cte chain', 'cte twice', 'recursive cte', 'writing cte'] as const
  if (!random.chance(0.1, ...ctes)) return { before: [], filters: [] }
  const own = from({ ...scope, depth: 0 }, 'db')
  const inner: Scope = { ...scope, relations: own.relations }
  const value = column(inner, ['int', 'id'])
  const outside = column(scope, ['int', 'id'])
  const recursive = own.before.some(({ tag }) => tag === 'recursive cte')
  if (own.before.length === 0 || (recursive && plain) || !value?.ref || !outside?.ref)
    return { before: [], filters: [] }
  const query: Query = {
    head: ['eb'],
    steps: [...own.steps, { tag: 'select', parts: [`.select(${quoted(value.ref)})`], keep: true }],
  }
  const operator = random.pick(['in', 'in', 'not in'])
  return {
    before: own.before,
    filters: [
      {
        tag: 'subquery in where',
        parts: [`.where((eb) => eb(${quoted(outside.ref)}, '${operator}', `, query, '))'],
        keep: true,
      },
    ],
  }
}

export function filters(scope: Scope): Step[] {
  const { random } = scope
  const steps: Step[] = []
  if (random.chance(0.5, 'where', 'exists', 'any/all', 'tuple', 'is distinct from'))
    steps.push({ tag: 'where', parts: [`.where((eb) => ${condition(scope)})`] })
  if (random.chance(0.4, 'where key'))
    steps.push({ tag: 'where key', parts: [`.where((eb) => ${keyCondition(scope)})`] })
  if (random.chance(0.12, 'subquery in where', ...nestedClauses)) steps.push(subqueryIn(scope))
  return steps
}
