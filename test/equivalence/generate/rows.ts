import { quoted, type Step } from '../code.ts'
import { tiedTo } from './conditions.ts'
import { column, expression } from './expressions.ts'
import { direction, limits, orderByOutput, orderByUnique } from './order.ts'
import type { Scope } from './scope.ts'
import { inner, oneSpelling, tableRelation } from './scope.ts'
import type { Output, Shape } from './select.ts'

/** Single rows: columns and expressions, DISTINCT, ORDER BY, LIMIT. */
export function rows(scope: Scope): Shape {
  const { random } = scope
  const everything = scope.depth === 0 && random.chance(0.08)
  if (everything) return allColumns(scope)
  const chosen = selections(scope)
  const distinct = random.weighted<'no' | 'distinct' | 'on'>([
    [8, 'no'],
    [1.6, 'distinct'],
    [1, 'on'],
  ])
  if (distinct === 'distinct') return distinctRows(chosen, scope)
  if (distinct === 'on') return distinctOn(chosen, scope)
  return { ...chosen, steps: [...chosen.steps, ...tail(chosen, scope)] }
}

export interface Selected extends Shape {
  readonly unique: readonly string[]
}

/** 1 to 5 outputs, and the unique columns at times. */
export function selections(scope: Scope): Selected {
  const { random } = scope
  const outputs: Output[] = []
  const steps: Step[] = []
  const add = (code: string, kind: Output['kind'], shardKey: boolean, tag = 'select'): string => {
    const name = shadowing(scope, outputs) ?? scope.names.next('c')
    outputs.push({ name, kind, shardKey })
    steps.push({ tag, parts: [`.select((eb) => ${code}.as('${name}'))`] })
    return name
  }
  const count = random.between(1, 4)
  for (let i = 0; i < count; i++) {
    const made = expression(scope)
    const wrapped = /^(eb\.|sql`)/.test(made.code) ? made.code : made.code
    add(wrapped, made.kind, isKeyRef(made.ref, scope))
  }
  const unique: string[] = []
  if (random.chance(0.45) && scope.relations.every((relation) => relation.unique.length > 0)) {
    for (const { alias, unique: names } of scope.relations) {
      for (const name of names) unique.push(add(`eb.ref(${quoted(`${alias}.${name}`)})`, 'int', false))
    }
  }
  const owner = scope.relations.find(({ keys }) => keys.length > 0)
  if (owner && random.chance(scope.depth > 0 ? 0.6 : 0.3)) {
    add(`eb.ref(${quoted(`${owner.alias}.${owner.keys[0]}`)})`, 'key', owner === scope.relations[0])
  }
  if (scope.depth === 0 && random.chance(0.1)) {
    const code = scalarSubquery(scope)
    if (code) add(code, 'int', false, 'subquery in select')
  }
  return { steps, outputs, unique }
}

/** At times an output is named like a column that it is not: ORDER BY means the output, GROUP BY the column. */
function shadowing({ random, relations, depth }: Scope, outputs: readonly Output[]): string | undefined {
  if (depth > 0 || relations.length !== 1 || !random.chance(0.07)) return undefined
  const name = random.pick(['g', 'v', 'id', 'name', 'm'])
  return outputs.some((output) => output.name === name) ? undefined : name
}

function isKeyRef(ref: string | undefined, scope: Scope): boolean {
  return (
    ref !== undefined && scope.relations[0]?.keys.some((key) => ref === `${scope.relations[0]?.alias}.${key}`) === true
  )
}

function scalarSubquery(scope: Scope): string | undefined {
  const alias = scope.names.next('s')
  const { random } = scope
  const table = random.pick(['u', 't', 'r'] as const)
  const own = tableRelation(table, alias)
  const owners = scope.relations.filter(({ keys }) => keys.length > 0)
  const tie = random.chance(0.75) ? (tiedTo(owners, own, inner(scope, [own])) ?? '') : ''
  const made = column(inner(scope, [own]), ['int', 'id'])
  return (
    made &&
    `eb.selectFrom('${table} as ${alias}').select((eb) => eb.fn.${random.pick(['count', 'max', 'sum'])}(${quoted(made.ref as string)}).as('n'))${tie}`
  )
}

function allColumns(scope: Scope): Shape {
  const { random } = scope
  const [first] = scope.relations
  const one = random.chance(0.5) && first
  const step: Step = { tag: 'select all', parts: [one ? `.selectAll('${first.alias}')` : '.selectAll()'], keep: true }
  return { steps: [step, ...tail({ outputs: [], unique: [], steps: [] }, scope)], outputs: [], unique: [] }
}

/** ORDER BY and LIMIT; inside another query only together, in a total order. */
export function tail(shape: Shape, scope: Scope): Step[] {
  const { random } = scope
  const unique = orderByUnique(scope)
  if (scope.depth > 0) {
    if (!unique || !random.chance(0.3)) return []
    const parts = [...unique.parts, ...limits(scope, false).flatMap((step) => step.parts)]
    return [{ tag: 'limit in subquery', parts }]
  }
  if (random.chance(0.4)) return random.chance(0.12) ? limits(scope, false) : []
  const steps: Step[] = []
  for (const output of random.some(sortable(shape.outputs), 0, 2))
    steps.push(orderByOutput(scope, output, shape.outputs.indexOf(output) + 1))
  if (random.chance(0.35)) {
    const made = expression(scope, 0.2)
    if (!['json'].includes(made.kind))
      steps.push({ tag: 'order by hidden', parts: [`.orderBy((eb) => ${made.code}${direction(scope, made.kind)})`] })
  }
  if (unique && (steps.length === 0 || random.chance(0.75))) steps.push(unique)
  if (steps.length === 0) return []
  return random.chance(0.55) ? [...steps, ...limits(scope, !steps.includes(unique as Step))] : steps
}

export function sortable(outputs: readonly Output[]): readonly Output[] {
  return outputs.filter(({ kind }) => kind !== 'json' && kind !== 'array')
}

function distinctRows(chosen: Shape, scope: Scope): Shape {
  const { random } = scope
  const { outputs } = chosen
  if (
    oneSpelling(
      scope,
      outputs.map(({ kind }) => kind),
    ).length < outputs.length
  )
    return chosen
  const steps: Step[] = [...chosen.steps, { tag: 'distinct', parts: ['.distinct()'] }]
  if (scope.depth > 0) return { ...chosen, steps }
  if (random.chance(0.6)) {
    // All outputs: distinct rows are in a total order then.
    const parts = outputs.map((output) => `.orderBy('${output.name}'${direction(scope)})`)
    steps.push({ tag: 'order by', parts, total: true })
    if (random.chance(0.5)) steps.push(...limits(scope, false))
  }
  return { ...chosen, steps }
}

/** DISTINCT ON with an order that says which row of each is kept. */
function distinctOn(chosen: Shape, scope: Scope): Shape {
  const { random } = scope
  const unique = orderByUnique(scope)
  const on = column(scope, ['int', 'text', 'key', 'date', 'bool', 'enum', 'ctext'])
  if (!unique || !on?.ref) return distinctRows(chosen, scope)
  const parts = [`.distinctOn(${quoted(on.ref)}).orderBy(${quoted(on.ref)}${direction(scope)})`, ...unique.parts]
  const steps: Step[] = [...chosen.steps, { tag: 'distinct on', parts, total: true }]
  if (random.chance(0.4)) steps.push(...limits(scope, false))
  return { ...chosen, steps, unique: [] }
}
