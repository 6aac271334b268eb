import { quoted, type Step } from '../code.ts'
import type { Open } from '../world/columns.ts'
import { clausesIn } from './clauses.ts'
import { tiedTo } from './conditions.ts'
import { column, expression } from './expressions.ts'
import { direction, limits, orderByOutput, orderByUnique } from './order.ts'
import type { Relation, Scope } from './scope.ts'
import { inner, keyCode, spelling, tableRelation } from './scope.ts'
import type { Output, Shape } from './select.ts'

/** Single rows: columns and expressions, DISTINCT, ORDER BY, LIMIT. */
export function rows(scope: Scope): Shape {
  const { random } = scope
  const [only] = scope.relations
  const plain = scope.depth === 0 || (scope.relations.length === 1 && only?.table !== undefined)
  if (plain && random.chance(0.08, 'select all')) return allColumns(scope)
  const chosen = selections(scope)
  const distinct = random.weighted<'no' | 'distinct' | 'on'>([
    [8, 'no'],
    [1.6, 'distinct', 'distinct'],
    [1, 'on', 'distinct on'],
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
  const add = (code: string, kind: Output['kind'], shardKey: boolean, tag = 'select', open?: Open): string => {
    const name = shadowing(scope, outputs) ?? scope.names.next('outC')
    outputs.push({ name, kind, shardKey, open })
    steps.push({ tag, parts: [`.select((eb) => ${code}.as('${name}'))`] })
    return name
  }
  const count = random.between(1, 4)
  for (let i = 0; i < count; i++) {
    const made = expression(scope)
    const tag = made.code.startsWith('sql`') ? 'raw expression' : 'select'
    add(made.code, made.kind, isKeyRef(made.ref, scope), tag, made.open)
  }
  const unique: string[] = []
  if (random.chance(0.45) && scope.relations.every((relation) => relation.unique.length > 0)) {
    for (const { alias, unique: names, columns } of scope.relations) {
      for (const name of names) {
        const { kind = 'int', open } = columns.find((own) => own.name === name) ?? {}
        unique.push(add(`eb.ref(${quoted(`${alias}.${name}`)})`, kind === 'id' ? 'int' : kind, false, 'select', open))
      }
    }
  }
  const owner = scope.relations.find(({ keys }) => keys.length > 0)
  if (owner && random.chance(scope.depth > 0 ? 0.6 : 0.3)) {
    add(`eb.ref(${quoted(`${owner.alias}.${owner.keys[0]}`)})`, 'key', owner === scope.relations[0])
  }
  if (scope.depth < 2 && random.chance(scope.depth > 0 ? 0.02 : 0.1, 'subquery in select')) {
    const code = scalarSubquery(scope)
    if (code) add(code, 'big', false, 'subquery in select')
  }
  if (scope.depth < 2 && random.chance(scope.depth > 0 ? 0.02 : 0.06, 'json subquery')) {
    const code = jsonSubquery(scope)
    if (code) add(code, 'json', false, 'json subquery')
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

function idOf({ alias }: Relation): string {
  return quoted(`${alias}.id`)
}

/** The helpers that put the rows of a related table into one column. */
function jsonSubquery(scope: Scope): string | undefined {
  const { random, names } = scope
  const alias = names.next('s')
  const owners = scope.relations.filter(({ keys }) => keys.length > 0)
  const table = owners.length > 0 ? random.pick(['u', 'p', 'r', 't'] as const) : 'r'
  const tie = tiedTo(owners, tableRelation(table, alias), scope) ?? ''
  const query = `eb.selectFrom('${table} as ${alias}').select(['${alias}.id', '${alias}.g'])${tie}.orderBy('${alias}.id')`
  return random.chance(0.65) ? `jsonArrayFrom(${query})` : `jsonObjectFrom(${query}.limit(1))`
}

function allColumns(scope: Scope): Shape {
  const { random } = scope
  const [first] = scope.relations
  const one = (scope.depth > 0 || random.chance(0.5)) && first
  const step: Step = { tag: 'select all', parts: [one ? `.selectAll('${first.alias}')` : '.selectAll()'], keep: true }
  const shown = one ? [first] : scope.relations
  // Of two columns with one name the driver keeps the last.
  const columns = new Map(shown.flatMap((relation) => relation.columns.map((own) => [own.name, own] as const)))
  const outputs = [...columns.values()].map(({ name, kind, open }) => ({
    name,
    kind,
    open,
    shardKey: one ? first.keys.includes(name) : false,
  }))
  const unique = one && scope.relations.length === 1 ? first.unique : []
  return {
    steps: [step, ...tail({ outputs: one ? outputs : [], unique: [], steps: [] }, scope)],
    outputs,
    unique,
  }
}

/** ORDER BY and LIMIT; inside another query only together, in a total order. */
export function tail(shape: Shape, scope: Scope): Step[] {
  const { random } = scope
  const unique = orderByUnique(scope)
  if (scope.depth > 0) {
    if (!unique || !random.chance(0.3, 'limit in subquery')) return []
    const parts = [...unique.parts, ...limits(scope, false).flatMap((step) => step.parts)]
    return [{ tag: 'limit in subquery', parts }]
  }
  if (!random.chance(0.6, ...clausesIn('tails'))) return random.chance(0.12) ? limits(scope, false) : []
  if (random.chance(0.01, 'for update')) return locks(scope)
  const steps: Step[] = []
  for (const output of random.some(sortable(shape.outputs), random.wishes(['order by position']) ? 1 : 0, 2))
    steps.push(orderByOutput(scope, output, shape.outputs.indexOf(output) + 1))
  if (random.chance(0.35, 'order by hidden')) {
    const made = expression(scope, 0.2)
    if (!['json'].includes(made.kind))
      steps.push({ tag: 'order by hidden', parts: [`.orderBy((eb) => ${made.code}${direction(scope, made.kind)})`] })
  }
  if (unique && (steps.length === 0 || random.chance(0.75))) steps.push(unique)
  if (steps.length === 0) return []
  const limiting = ['limit', 'offset', 'fetch', 'fetch with ties']
  return random.chance(0.55, ...limiting) ? [...steps, ...limits(scope, !steps.includes(unique as Step))] : steps
}

/** Row locks, on the shard of one key. */
function locks(scope: Scope): Step[] {
  const { random } = scope
  const owner = scope.relations.find(({ keys, table }) => keys.length > 0 && table !== undefined)
  if (!owner || scope.relations.some(({ table }) => table === undefined)) return []
  const parts = [`.where('${owner.alias}.${owner.keys[0]}', '=', ${keyCode(scope)}).forUpdate('${owner.alias}')`]
  const unique = orderByUnique(scope)
  const steps: Step[] = [{ tag: 'for update', parts }]
  if (!unique || !random.chance(0.5, ...clausesIn('tails'))) return steps
  const hidden = random.chance(0.3, 'order by hidden')
  const position = random.chance(0.2, 'order by position')
  if (hidden) steps.push({ tag: 'order by hidden', parts: [`.orderBy((eb) => eb(${idOf(owner)}, '%', eb.lit(3)))`] })
  if (position) steps.push({ tag: 'order by position', parts: ['.orderBy(sql`1`)'] })
  steps.push(unique)
  return random.chance(0.5, 'limit', 'offset') ? [...steps, ...limits(scope, false)] : steps
}

export function sortable(outputs: readonly Output[]): readonly Output[] {
  return outputs.filter(({ kind, open }) => kind !== 'json' && kind !== 'array' && open === undefined)
}

function distinctRows(chosen: Shape, scope: Scope): Shape {
  const { random } = scope
  if (chosen.outputs.some(({ open, kind }) => open === 'float' || kind === 'json')) return chosen
  const outputs = chosen.outputs.map((output) => ({ ...output, open: output.open ?? spelling(output.kind) }))
  const steps: Step[] = [...chosen.steps, { tag: 'distinct', parts: ['.distinct()'] }]
  const shape = { ...chosen, outputs, unique: [], steps }
  if (scope.depth > 0) return shape
  if (random.chance(0.6, ...clausesIn('tails'))) {
    // All outputs: distinct rows are in a total order then.
    const parts = outputs.map((output) => `.orderBy('${output.name}'${direction(scope)})`)
    steps.push({ tag: 'order by', parts, total: true })
    if (random.chance(0.5, 'limit', 'offset', 'fetch')) steps.push(...limits(scope, false))
  }
  return shape
}

/** DISTINCT ON with an order that says which row of each is kept. */
function distinctOn(chosen: Shape, scope: Scope): Shape {
  const { random } = scope
  const unique = orderByUnique(scope)
  const on = column(scope, ['int', 'text', 'key', 'date', 'bool', 'enum', 'ctext', 'ci', 'num', 'small', 'en'])
  if (!unique || !on?.ref) return distinctRows(chosen, scope)
  const parts = [`.distinctOn(${quoted(on.ref)}).orderBy(${quoted(on.ref)}${direction(scope)})`, ...unique.parts]
  const steps: Step[] = [...chosen.steps, { tag: 'distinct on', parts, total: true }]
  if (scope.depth === 0 && random.chance(0.4, 'limit', 'offset', 'fetch')) steps.push(...limits(scope, false))
  return { ...chosen, steps, unique: [] }
}
