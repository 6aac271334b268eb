import type { Query, Step } from '../code.ts'
import { condition } from './conditions.ts'
import type { Outer } from './from.ts'
import { subqueryIn } from './membership.ts'
import { keyCode, type Scope, tableRelation } from './scope.ts'
import { where } from './select.ts'
import { nestedClauses, scopeOf, withBefore } from './write-clauses.ts'

/** MERGE from a table or a query, with any of its WHENs. */
export function merge(outer: Outer): Query {
  const { random } = outer
  const alias = outer.names.next('a')
  const into = random.chance(0.25) ? 'c' : 't'
  const own = withBefore(scopeOf(outer, 'u', alias), true)
  const nested = own.before.length > 0 || random.chance(0.2, ...nestedClauses)
  const nestedSource = nested ? mergeQuery(outer, alias, own.filters) : undefined
  const source = random.weighted([
    [5, 'u'],
    [1.5, 'r'],
  ] as const)
  const keyed = nestedSource !== undefined || source === 'u'
  const scope: Scope = { ...outer, relations: [tableRelation(source === 'r' && !keyed ? 'r' : 'u', 'b')] }
  const simple: Scope = nestedSource ? { ...outer, relations: [tableRelation(into, 't')] } : scope
  const key = keyed && random.chance(0.93) ? "eb.ref('b.k')" : keyCode(scope)
  const on = keyed
    ? ".onRef('b.k', '=', 't.k').onRef('b.id', '=', 't.id')"
    : random.chance(0.4)
      ? `.on('t.k', '=', ${keyCode(scope)}).onRef('b.id', '=', 't.id')`
      : ".onRef('b.id', '=', 't.id')"
  const using = nestedSource
    ? [`.mergeInto('${into} as t').using((eb) => `, nestedSource, `.as('b'), (on) => on${on})`]
    : [`.mergeInto('${into} as t').using('${source} as b', (on) => on${on})`]
  return {
    head: ['db'],
    steps: [
      ...own.before,
      { tag: 'merge', parts: using, keep: true },
      ...whens(simple, key, into),
      ...(outer.world.postgres >= 17 && random.chance(0.3, 'returning')
        ? [
            {
              tag: 'returning',
              parts: [
                random.pick([
                  ".returning(['t.k', 't.id', 'b.g'])",
                  ".returning([sql`merge_action()`.as('did'), 't.id'])",
                ]),
              ],
            },
          ]
        : []),
    ],
  }
}

/** A source with the key, and one row for each id of it. */
function mergeQuery(outer: Outer, alias: string, filters: readonly Step[]): Query {
  const scope: Scope = { ...outer, relations: [tableRelation('u', alias)], depth: 0 }
  return {
    head: ['eb'],
    steps: [
      {
        tag: 'derived table',
        parts: [`.selectFrom('u as ${alias}').select(['${alias}.k', '${alias}.id', '${alias}.g'])`],
        keep: true,
      },
      ...where(scope),
      ...(filters.length > 0 ? filters : [subqueryIn(scope)]),
    ],
  }
}

function whens(scope: Scope, key: string, into: 'c' | 't'): Step[] {
  const { random } = scope
  const steps: Step[] = []
  const and = (): string => `(eb) => ${condition(scope, { simple: true })}`
  if (random.chance(0.5, 'when matched'))
    steps.push({
      tag: 'when matched',
      parts: [`.whenMatchedAnd(${and()}).${random.pick(['thenDelete()', 'thenDoNothing()'])}`],
    })
  if (random.chance(0.85, 'when matched'))
    steps.push({ tag: 'when matched', parts: [".whenMatched().thenUpdateSet((eb) => ({ g: eb.ref('b.g') }))"] })
  const insert = `thenInsertValues((eb) => ({ k: ${key}, id: eb('b.id', '+', 3000), g: eb.ref('b.g') }))`
  if (random.chance(0.5, 'when not matched'))
    steps.push({
      tag: 'when not matched',
      parts: [
        random.pick([
          `.whenNotMatched().${insert}`,
          `.whenNotMatchedAnd('b.g', '>', 1).${insert}`,
          '.whenNotMatched().thenDoNothing()',
        ]),
      ],
    })
  if (scope.world.postgres >= 17 && random.chance(0.4, 'when not matched by source'))
    steps.push({
      tag: 'when not matched by source',
      parts: [
        random.pick([
          into === 'c'
            ? '.whenNotMatchedBySource().thenUpdateSet({ v: sql`default`, at: sql`default`, uu: sql`default` })'
            : '.whenNotMatchedBySource().thenUpdateSet({ v: 99 })',
          ".whenNotMatchedBySourceAnd('t.g', '>', 2).thenDelete()",
          '.whenNotMatchedBySource().thenDelete()',
        ]),
      ],
    })
  if (steps.length === 0) steps.push({ tag: 'when matched', parts: ['.whenMatched().thenDelete()'], keep: true })
  return [{ ...(steps[0] as Step), keep: true }, ...steps.slice(1)]
}
