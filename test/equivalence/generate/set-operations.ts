import { type Part, type Query, quoted, type Step } from '../code.ts'
import { type Kind, type TableName, tableNames, tables } from '../world/columns.ts'
import { clausesIn } from './clauses.ts'
import { type From, from, type Outer } from './from.ts'
import { direction, limits } from './order.ts'
import { columnsOf, type Scope, spelling, tableRelation } from './scope.ts'
import { type MadeQuery, type Output, where } from './select.ts'

const lists: readonly (readonly Kind[])[] = [
  ['int'],
  ['key', 'int'],
  ['text'],
  ['key'],
  ['int', 'text'],
  ['ts'],
  ['money', 'int'],
  ['num'],
  ['ci'],
  ['int', 'en', 'small'],
  ['date', 'bool'],
]

const operations = ['union', 'unionAll', 'intersect', 'except', 'exceptAll', 'intersectAll'] as const

/** UNION, INTERSECT and EXCEPT of two or three queries, at times with operations inside an arm. */
export function setOperations(outer: Outer, root: 'db' | 'eb' = 'db'): MadeQuery {
  const { random, names } = outer
  const kinds = random.wishes([...clausesIn('sources', 'joins')]) ? ['int' as const] : random.pick(lists)
  const outputs: Output[] = kinds.map((kind) => ({
    name: names.next('outC'),
    kind,
    shardKey: kind === 'key',
    open: spelling(kind),
  }))
  const first = arm(outer, outputs, root)
  const steps: Step[] = [...first.steps]
  const count = random.weighted([
    [3, 1],
    [1, 2],
  ] as const)
  for (let i = 0; i < count; i++) steps.push(operation(outer, outputs))
  if (outer.depth === 0 && random.chance(0.6, 'order by', 'limit', 'offset', 'fetch', 'fetch with ties')) {
    const scope: Scope = { ...outer, relations: [] }
    const ties = random.chance(0.2, 'fetch with ties')
    const sorted = ties ? outputs.slice(0, 1) : outputs
    steps.push({
      tag: 'order by',
      parts: sorted.map(({ name }) => `.orderBy('${name}'${direction(scope)})`),
      total: !ties,
    })
    if (random.chance(0.5, 'limit', 'offset', 'fetch', 'fetch with ties')) steps.push(...limits(scope, ties))
  }
  // EXCEPT and INTERSECT of keys keep the key; so does UNION.
  return { query: { head: first.head, steps }, steps, outputs, unique: [] }
}

function operation(outer: Outer, outputs: readonly Output[]): Step {
  const { random } = outer
  const name = random.weighted(operations.map((own) => [1, own, own] as const))
  const right = arm(outer, outputs, 'eb')
  const nested =
    outer.depth < 2 && random.chance(0.12)
      ? [...right.steps, operation({ ...outer, depth: outer.depth + 1 }, outputs)]
      : right.steps
  return { tag: name, parts: [`.${name}((eb) => `, { ...right, steps: nested }, ')'] }
}

/** One SELECT whose outputs have the kinds asked for: of a table, or of any FROM that has such columns. */
function arm(outer: Outer, outputs: readonly Output[], root: 'db' | 'eb'): Query {
  const { random } = outer
  const inside = { ...outer, depth: outer.depth + 1 }
  const own = anyFrom(inside, outputs, root) ?? tableFrom(inside, outputs)
  const scope: Scope = { ...inside, relations: own.relations }
  const refs = outputs.map(({ kind }) => random.pick(columnsOf(scope, kindsFor(kind), kind !== 'num')).ref)
  const selected = outputs.map(({ name }, index) => quoted(`${refs[index]} as ${name}`))
  const select: Step = { tag: 'select', parts: [`.select([${selected.join(', ')}])`], keep: true }
  const groups: Step[] = random.chance(0.06, 'group by')
    ? [{ tag: 'group by', parts: [`.groupBy([${refs.map(quoted).join(', ')}])`] }]
    : []
  const head: Part[] = [root]
  return { head, steps: [...(root === 'db' ? own.before : []), ...own.steps, select, ...where(scope), ...groups] }
}

function kindsFor(kind: Kind): readonly Kind[] {
  return kind === 'int' ? ['int', 'id'] : [kind]
}

const rich = clausesIn('joins', 'sources', 'groups', 'aggregates', 'windows', 'nested')

function anyFrom(outer: Outer, outputs: readonly Output[], root: 'db' | 'eb'): From | undefined {
  if (!outer.random.chance(0.2, ...rich)) return undefined
  for (let i = 0; i < 3; i++) {
    const own = from(outer, root)
    const scope: Scope = { ...outer, relations: own.relations }
    // The key of another family, or under another family's name, is no key of this output.
    if (outputs.every(({ kind }) => kind !== 'key' && columnsOf(scope, kindsFor(kind)).length > 0)) return own
  }
  return undefined
}

function tableFrom(outer: Outer, outputs: readonly Output[]): From {
  const { random, names } = outer
  const fitting = tableNames.filter(
    (name): name is Exclude<TableName, 'o'> =>
      name !== 'o' &&
      name !== 'w' &&
      outputs.every(({ kind }) => tables[name].some((column) => kindsFor(kind).includes(column.kind))),
  )
  const name = random.chance(0.55) ? 't' : random.pick(fitting)
  const alias = names.next('a')
  return {
    before: [],
    steps: [{ tag: 'from', parts: [`.selectFrom('${name} as ${alias}')`], keep: true }],
    relations: [tableRelation(name, alias)],
  }
}
