import type { Query, Step } from '../code.ts'
import { keyOf, type TableName, tables } from '../world/columns.ts'
import { clausesIn } from './clauses.ts'
import { constant } from './expressions.ts'
import { innerQuery, type Outer, relationOf } from './from.ts'
import { integerOf } from './joins.ts'
import { keyCode } from './scope.ts'
import { filters, returning, scopeOf, target, withBefore } from './write-clauses.ts'

/** UPDATE, with FROM or without. */
export function update(outer: Outer): Query {
  const { random } = outer
  const from = random.chance(0.35, 'update from') ? fromSteps(outer) : undefined
  const table = from ? 't' : target(outer)
  const scope = scopeOf(outer, table, table)
  const own = withBefore(scope)
  return {
    head: ['db'],
    steps: [
      ...own.before,
      { tag: from ? 'update from' : 'set', parts: [`.updateTable('${table}')`], keep: true },
      ...(from ?? [assignments(table, outer)]),
      ...filters(scope),
      ...own.filters,
      ...(from ? returningBoth(random) : returning(table, random)),
    ],
  }
}

function returningBoth(random: Outer['random']): Step[] {
  return random.chance(0.4, 'returning') ? [{ tag: 'returning', parts: [".returning(['t.k', 't.id', 't.v'])"] }] : []
}

/** FROM a table or a query. Which of several rows an UPDATE takes is open: a query's rows only say that there is one. */
function fromSteps(outer: Outer): Step[] {
  const { random } = outer
  const made = random.chance(0.3, 'derived table', ...clausesIn('sets')) ? innerQuery(outer, 'eb') : undefined
  const query = made && relationOf('b', made)
  const [column, own] = query?.keys[0] ? [query.keys[0], 'k'] : [query && integerOf(query), 'id']
  if (made && column && (own === 'k' || random.chance(0.15))) {
    const tail = `.as('b')).set((eb) => ({ v: eb('t.v', '+', 1) })).whereRef('b.${column}', '=', 't.${own}')`
    return [{ tag: 'derived table', parts: ['.from((eb) => ', made.query, tail], keep: true }]
  }
  const code = random.pick([
    ".from('u as b').set((eb) => ({ v: eb.ref('b.g') })).whereRef('b.k', '=', 't.k').whereRef('b.id', '=', 't.id')",
    ".from('r as b').set((eb) => ({ v: eb.ref('b.g') })).whereRef('b.id', '=', 't.g')",
  ])
  return [{ tag: 'update from', parts: [code], keep: true }]
}

function assignments(table: TableName, outer: Outer): Step {
  const { random } = outer
  const text = tables[table].find(({ kind }) => kind === 'text')?.name
  const choices = [`.set({ g: ${random.between(0, 5)} })`, `.set((eb) => ({ g: eb('g', '+', 1) }))`]
  if (text !== undefined)
    choices.push(
      `.set({ ${text}: ${constant('text', { ...outer, relations: [] })} })`,
      `.set((eb) => ({ ${text}: eb.fn('upper', ['${text}']), g: null }))`,
    )
  if (table === 'c' || table === 'q')
    choices.push('.set({ at: sql`default`, uu: sql`default`, g: sql`default` })', '.set({ at: sql`now()` })')
  const key = table === 'w' ? undefined : keyOf[table]?.column
  if (key && random.chance(0.05)) choices.push(`.set((eb) => ({ ${key}: eb.ref('${key}') }))`)
  if (key && random.chance(0.03)) choices.push(`.set({ ${key}: ${keyCode({ ...outer, relations: [] })} })`)
  return { tag: 'set', parts: [random.pick(choices)], keep: true }
}
