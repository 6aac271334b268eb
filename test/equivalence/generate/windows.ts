import { quoted } from '../code.ts'
import { column } from './expressions.ts'
import { orderByUnique } from './order.ts'
import { selections, tail } from './rows.ts'
import type { Scope } from './scope.ts'
import type { Shape } from './select.ts'

/** Rows with window functions. */
export function windows(scope: Scope): Shape {
  const chosen = selections(scope)
  const made = windowCall(scope)
  if (!made) return chosen
  const name = scope.names.next('w')
  const step = { tag: 'window', parts: [`.select((eb) => ${made}.as('${name}'))`] }
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
  const value = column(scope, ['int', 'money', 'big'])
  if (!value?.ref) return undefined
  const ref = quoted(value.ref)
  const sort = column(scope, ['int', 'text', 'date', 'ts', 'money', 'ctext'])
  const group = column(scope, ['int', 'key', 'bool', 'text', 'enum'])
  const partition = group?.ref && random.chance(0.65) ? `.partitionBy(${quoted(group.ref)})` : ''
  const order = sort?.ref ? `.orderBy(${quoted(sort.ref)}${random.pick(['', ", 'desc'"])})` : ''
  const choices = [
    `eb.fn.agg('rank').over((ob) => ob${partition}${order})`,
    `eb.fn.agg('dense_rank').over((ob) => ob${partition}${order})`,
    `eb.fn.sum(${ref}).over((ob) => ob${partition}${order})`,
    `eb.fn.countAll().over((ob) => ob${partition})`,
    `eb.fn.max(${ref}).over((ob) => ob${partition})`,
    `eb.fn.countAll().over()`,
  ]
  if (total) {
    choices.push(
      `eb.fn.agg('row_number').over((ob) => ob${partition}${total})`,
      `eb.fn.agg('lag', [${ref}]).over((ob) => ob${partition}${total})`,
      `eb.fn.agg('first_value', [${ref}]).over((ob) => ob${partition}${total})`,
      `eb.fn.agg('ntile', [eb.lit(3)]).over((ob) => ob${partition}${total})`,
      `eb(eb.fn.sum(${ref}).over((ob) => ob${partition}${total}), '+', 1)`,
    )
  }
  return random.pick(choices)
}
