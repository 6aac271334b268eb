import type { Query, Step } from '../code.ts'
import { clausesIn } from './clauses.ts'
import { tiedTo } from './conditions.ts'
import { innerQuery, type Outer, relationOf } from './from.ts'
import { integerOf } from './joins.ts'
import { tableRelation } from './scope.ts'
import { filters, returning, scopeOf, target, withBefore } from './write-clauses.ts'

/** DELETE, with USING or without. */
export function remove(outer: Outer): Query {
  const { random } = outer
  const using = random.chance(0.3, 'delete using')
  const table = using ? 't' : target(outer)
  const scope = scopeOf(outer, table, table)
  const own = withBefore(scope)
  if (using) {
    return {
      head: ['db'],
      steps: [
        ...own.before,
        { tag: 'delete using', parts: [".deleteFrom('t')"], keep: true },
        ...usingSteps(outer),
        ...filters(scope),
        ...own.filters,
        ...(random.chance(0.4, 'returning') ? [{ tag: 'returning', parts: [".returning(['t.k', 't.id'])"] }] : []),
      ],
    }
  }
  const subquery: Step[] = table === 't' && random.chance(0.2, 'exists') ? [deleteWhereExists(outer)] : []
  return {
    head: ['db'],
    steps: [
      ...own.before,
      { tag: 'delete', parts: [`.deleteFrom('${table}')`], keep: true },
      ...filters(scope),
      ...own.filters,
      ...subquery,
      ...returning(table, random),
    ],
  }
}

function usingSteps(outer: Outer): Step[] {
  const { random } = outer
  const made = random.chance(0.3, 'derived table', ...clausesIn('sets')) ? innerQuery(outer, 'eb') : undefined
  const query = made && relationOf('b', made)
  const number = query && integerOf(query)
  if (made && query && (query.keys.length > 0 || (number !== undefined && random.chance(0.15)))) {
    const [key] = query.keys
    const link = key ? `.whereRef('b.${key}', '=', 't.k')` : `.whereRef('b.${number}', '=', 't.id')`
    return [{ tag: 'derived table', parts: ['.using((eb) => ', made.query, `.as('b'))${link}`], keep: true }]
  }
  const parts = random.pick([
    ".using('u as b').whereRef('b.k', '=', 't.k').whereRef('b.tid', '=', 't.id')",
    ".using('u as b').whereRef('b.k', '=', 't.k').whereRef('b.tid', '=', 't.id')",
    ".using('r as b').whereRef('b.id', '=', 't.g')",
  ])
  return [{ tag: 'delete using', parts: [parts], keep: true }]
}

function deleteWhereExists(outer: Outer): Step {
  const own = tableRelation('u', 'b')
  const tie = tiedTo([tableRelation('t', 't')], own, { ...outer, relations: [own] }) ?? ''
  return { tag: 'where', parts: [`.where((eb) => eb.exists(eb.selectFrom('u as b').select('b.id')${tie}))`] }
}
