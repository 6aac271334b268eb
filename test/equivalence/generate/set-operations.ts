import { type Part, quoted, type Step } from '../code.ts'
import { type Kind, tables } from '../world/columns.ts'
import { direction, limits } from './order.ts'
import { type Scope, tableRelation } from './scope.ts'
import type { MadeQuery } from './select.ts'
import { where } from './select.ts'

type Outer = Omit<Scope, 'relations'>

const lists: readonly (readonly Kind[])[] = [
  ['int'],
  ['key', 'int'],
  ['text'],
  ['key'],
  ['int', 'text'],
  ['ts'],
  ['money', 'int'],
]

/** UNION, INTERSECT and EXCEPT of two or three queries. */
export function setOperations(outer: Outer, root: 'db' | 'eb' = 'db'): MadeQuery {
  const { random, names } = outer
  const kinds = random.pick(lists)
  const outputs = kinds.map((kind) => ({ name: names.next('c'), kind, shardKey: kind === 'key' }))
  const arm = (root: string): { head: Part[]; steps: Step[] } => {
    const owners = (['t', 'u', 'x', 'r'] as const).filter((name) =>
      kinds.every((kind) => tables[name].some((column) => column.kind === kind)),
    )
    const name = random.chance(0.55) ? 't' : random.pick(owners)
    const relation = tableRelation(owners.includes(name) ? name : 't', names.next('a'))
    const scope: Scope = { ...outer, relations: [relation], depth: outer.depth + 1 }
    const selected = outputs.map((output) => {
      const column = random.pick(relation.columns.filter(({ kind }) => kind === output.kind))
      return quoted(`${relation.alias}.${column.name} as ${output.name}`)
    })
    return {
      head: [root],
      steps: [
        { tag: 'from', parts: [`.selectFrom('${relation.table} as ${relation.alias}')`], keep: true },
        { tag: 'select', parts: [`.select([${selected.join(', ')}])`], keep: true },
        ...where(scope),
      ],
    }
  }
  const first = arm(root)
  const steps: Step[] = [...first.steps]
  for (
    let i = random.weighted([
      [3, 1],
      [1, 2],
    ] as const);
    i > 0;
    i--
  ) {
    const operation = random.pick(['union', 'unionAll', 'intersect', 'except', 'exceptAll', 'intersectAll'])
    steps.push({ tag: operation, parts: [`.${operation}((eb) => `, arm('eb'), ')'] })
  }
  if (outer.depth === 0 && random.chance(0.6)) {
    const scope: Scope = { ...outer, relations: [] }
    steps.push({
      tag: 'order by',
      parts: outputs.map(({ name }) => `.orderBy('${name}'${direction(scope)})`),
      total: true,
    })
    if (random.chance(0.5)) steps.push(...limits(scope, false))
  }
  return { query: { head: first.head, steps }, steps, outputs, unique: [] }
}
