import type { Query, Step } from '../code.ts'
import type { TableName } from '../world/columns.ts'
import { clausesIn } from './clauses.ts'
import { from, type Outer } from './from.ts'
import { onConflict } from './insert.ts'
import { limits } from './order.ts'
import { columnsOf, keyCode, type Scope } from './scope.ts'
import { where } from './select.ts'
import { returning, scopeOf, withBefore } from './write-clauses.ts'

/** Rows from a query. */
export function insertSelect(outer: Outer): Query {
  const { random } = outer
  const into = random.weighted<TableName>([
    [7, 'u'],
    [1.5, 'x'],
    [2.5, 'c'],
    [0.3, 'e'],
  ])
  const conflict = random.chance(0.12, 'on conflict')
  // With ON CONFLICT the same rows come again; else no row has such an id yet.
  const offset = conflict ? 0 : 2000
  const own = withBefore(scopeOf(outer, 't', 'a'))
  const any = random.chance(0.5, ...clausesIn('joins', 'sources', 'groups', 'aggregates', 'windows', 'sets'))
  const source = own.before.length > 0 || !any ? tableSource(outer, offset, own.filters) : anySource(outer, offset)
  const head = `.insertInto('${into}').columns(['k', 'id', 'g']).expression((eb) => `
  return {
    head: ['db'],
    steps: [
      ...own.before,
      { tag: 'insert select', parts: [head, source, ')'], keep: true },
      ...(conflict ? [onConflict(into, outer)] : []),
      ...returning(into, random, 0.35),
    ],
  }
}

/** Of one table, with its key or a constant one. */
function tableSource(outer: Outer, offset: number, filters: readonly Step[] = []): Query {
  const { random } = outer
  const name = filters.length > 0 ? 't' : random.pick(['t', 't', 'u', 'p', 'w'] as const)
  const scope = scopeOf(outer, name, 'a')
  const [key] = name === 'w' ? ['k'] : scope.relations.flatMap(({ keys }) => keys)
  const own = random.chance(0.7) ? `'a.${key} as k'` : `(eb) => eb.val(${keyCode(scope)}).as('k')`
  const value = name === 'w' ? 'v' : 'g'
  const sums = `.select('a.${key} as k').select((eb) => [eb(eb.fn.max('a.id'), '+', ${offset}).as('id'), eb.cast(eb.fn.sum('a.${value}'), 'integer').as('g')]).groupBy('a.${key}')`
  const rows = `.select(${own}).select((eb) => [eb('a.id', '+', ${offset}).as('id'), 'a.${value} as g'])`
  const grouped = random.chance(0.15, 'group by')
  return {
    head: ['eb'],
    steps: [
      { tag: 'from', parts: [`.selectFrom('${name} as a')`], keep: true },
      { tag: grouped ? 'group by' : 'select', parts: [grouped ? sums : rows], keep: true },
      ...(name === 'w' ? [] : where({ ...scope, depth: 1 })),
      ...filters,
      ...(grouped ? [] : sourceTail(scope)),
    ],
  }
}

/** An order by what is unique, and a limit. */
function sourceTail(scope: Scope): Step[] {
  const { random, relations } = scope
  if (!random.chance(0.2, ...clausesIn('tails'))) return []
  const unique = relations.flatMap(({ alias, unique: names }) => names.map((name) => `${alias}.${name}`))
  const steps: Step[] = []
  if (random.chance(0.3, 'order by hidden'))
    steps.push({ tag: 'order by hidden', parts: [`.orderBy((eb) => eb('${unique[0]}', '%', eb.lit(5)))`] })
  if (random.chance(0.2, 'order by position')) steps.push({ tag: 'order by position', parts: ['.orderBy(sql`3`)'] })
  steps.push({ tag: 'order by', parts: unique.map((name) => `.orderBy('${name}')`) })
  return random.chance(0.7, 'limit', 'offset', 'fetch', 'fetch with ties') ? [...steps, ...limits(scope, true)] : steps
}

/** Of any FROM that has a key and something unique. */
function anySource(outer: Outer, offset: number): Query {
  const inside = { ...outer, depth: 0 }
  for (let i = 0; i < 8; i++) {
    const own = from(inside, 'eb')
    const scope: Scope = { ...inside, relations: own.relations }
    const owner = own.relations.find(({ keys }) => keys.length > 0)
    const unique = own.relations.flatMap(({ alias, unique: names }) => names.map((name) => `'${alias}.${name}'`))
    const whole = columnsOf(scope, ['int', 'id'])
    const [value] = whole
    const known = own.relations.every(({ alias, unique: names }) =>
      names.every((name) => whole.some(({ ref }) => ref === `${alias}.${name}`)),
    )
    if (!owner || !value || !known || own.relations.some((relation) => relation.unique.length !== 1)) continue
    // One number for all unique columns: no two rows get the same id.
    const id = unique
      .map((name, index) => `eb(${name}, '*', eb.lit(${1000 ** index}))`)
      .reduce((a, b) => `eb(${a}, '+', ${b})`)
    const select = `.select('${owner.alias}.${owner.keys[0]} as k').select((eb) => [eb.cast(eb(${id}, '+', eb.lit(${offset})), 'integer').as('id'), '${value.ref} as g'])`
    const present = `.where('${owner.alias}.${owner.keys[0]}', 'is not', null)`
    const nulls = unique.map((name) => `.where(${name}, 'is not', null)`).join('')
    return {
      head: ['eb'],
      steps: [
        ...own.steps,
        { tag: 'select', parts: [`${select}${present}${nulls}`], keep: true },
        ...where({ ...scope, depth: 1 }),
        ...sourceTail(scope),
      ],
    }
  }
  return tableSource(outer, offset)
}
