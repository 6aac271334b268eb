import { quoted } from '../code.ts'
import { column } from './expressions.ts'
import { orderByUnique } from './order.ts'
import { selections, tail } from './rows.ts'
import type { Scope } from './scope.ts'
import type { Shape } from './select.ts'

/** Rows with window functions. */
export function windows(scope: Scope): Shape {
  const chosen = selections(scope)
  const frame = scope.random.chance(0.35, 'window frame')
  const made = (frame ? framedCall(scope) : undefined) ?? windowCall(scope)
  if (!made) return chosen
  const name = scope.names.next('winW')
  const step = {
    tag: made.startsWith('sql`') ? 'window frame' : 'window',
    parts: [`.select((eb) => ${made}.as('${name}'))`],
  }
  const shape = {
    ...chosen,
    steps: [...chosen.steps, step],
    outputs: [...chosen.outputs, { name, kind: 'big' as const, shardKey: false }],
  }
  return { ...shape, steps: [...shape.steps, ...tail({ ...shape, outputs: chosen.outputs }, scope)] }
}

function windowCall(scope: Scope): string | undefined {
  const { random } = scope
  const total = orderByUnique(scope)?.parts.join('')
  const value = column(scope, ['int', 'money', 'big', 'small'])
  if (!value?.ref) return undefined
  const ref = quoted(value.ref)
  const sort = column(scope, ['int', 'text', 'date', 'ts', 'money', 'ctext', 'en', 'num', 'ci'])
  const group = column(scope, ['int', 'key', 'bool', 'text', 'enum', 'ci', 'num'])
  const partition = group?.ref && random.chance(0.65) ? `.partitionBy(${quoted(group.ref)})` : ''
  const order = sort?.ref ? `.orderBy(${quoted(sort.ref)}${random.pick(['', ", 'desc'"])})` : ''
  const choices = [
    `eb.fn.agg('rank').over((ob) => ob${partition}${order})`,
    `eb.fn.agg('dense_rank').over((ob) => ob${partition}${order})`,
    `eb.fn.agg('percent_rank').over((ob) => ob${partition}${order})`,
    `eb.fn.agg('cume_dist').over((ob) => ob${partition}${order})`,
    `eb.fn.sum(${ref}).over((ob) => ob${partition}${order})`,
    `eb.fn.avg(${ref}).over((ob) => ob${partition}${order})`,
    `eb.fn.sum(${ref}).filterWhere(${ref}, '>', 1).over((ob) => ob${partition}${order})`,
    `eb.fn.countAll().over((ob) => ob${partition})`,
    `eb.fn.max(${ref}).over((ob) => ob${partition})`,
    `eb.fn.countAll().over()`,
  ]
  if (total) {
    choices.push(
      `eb.fn.agg('row_number').over((ob) => ob${partition}${total})`,
      `eb.fn.agg('lag', [${ref}]).over((ob) => ob${partition}${total})`,
      `eb.fn.agg('lead', [${ref}, eb.lit(2)]).over((ob) => ob${partition}${total})`,
      `eb.fn.agg('first_value', [${ref}]).over((ob) => ob${partition}${total})`,
      `eb.fn.agg('nth_value', [${ref}, eb.lit(2)]).over((ob) => ob${partition}${total})`,
      `eb.fn.agg('ntile', [eb.lit(3)]).over((ob) => ob${partition}${total})`,
      `eb(eb.fn.sum(${ref}).over((ob) => ob${partition}${total}), '+', 1)`,
    )
  }
  return random.pick(choices)
}

const exclusions = ['', '', ' exclude current row', ' exclude ties', ' exclude group']

/** Kysely has no frames: raw text, over columns given by reference. */
function framedCall(scope: Scope): string | undefined {
  const { random } = scope
  const value = column(scope, ['int', 'big', 'money'])
  const sort = column(scope, ['int', 'id'])
  const group = column(scope, ['int', 'key', 'bool', 'text', 'ctext'])
  const ids = scope.relations.filter(({ unique }) => unique.length > 0)
  if (!value?.ref || !sort?.ref) return undefined
  const reference = (name: string): string => `\${sql.ref(${quoted(name)})}`
  const partition = group?.ref && random.chance(0.5) ? `partition by ${reference(group.ref)} ` : ''
  const total = ids.length === scope.relations.length
  const unique = ids.flatMap(({ alias, unique: names }) => names.map((name) => reference(`${alias}.${name}`)))
  const mode = random.pick(total ? ['rows', 'rows', 'range', 'groups'] : ['range', 'groups'])
  const order = mode === 'rows' ? [reference(sort.ref), ...unique].join(', ') : reference(sort.ref)
  const [from, to] = random.pick([
    ['1 preceding', '1 following'],
    ['unbounded preceding', 'current row'],
    ['current row', 'unbounded following'],
    ['2 preceding', '1 preceding'],
    ['unbounded preceding', 'unbounded following'],
  ] as const)
  const call = random.pick([`sum(${reference(value.ref)})`, 'count(*)', `max(${reference(value.ref)})`])
  const exclusion = random.pick(exclusions)
  return `sql\`${call} over (${partition}order by ${order} ${mode} between ${from} and ${to}${exclusion})\``
}
