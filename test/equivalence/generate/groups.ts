import { quoted, type Step } from '../code.ts'
import { isInexact, type Kind } from '../world/columns.ts'
import { type Aggregate, aggregate, overAggregates } from './aggregates.ts'
import { clausesIn } from './clauses.ts'
import { column, expression } from './expressions.ts'
import { direction, limits, orderByOutput } from './order.ts'
import { sortable } from './rows.ts'
import { type Scope, spelling } from './scope.ts'
import type { Output, Shape } from './select.ts'

/** GROUP BY with aggregates, HAVING, ORDER BY, LIMIT. */
export function groups(scope: Scope): Shape {
  const { random } = scope
  const outputs: Output[] = []
  const steps: Step[] = []
  const sets = random.chance(scope.depth === 0 ? 0.08 : 0.03, 'grouping sets')
  const grouped = sets ? groupingSets(scope, steps, outputs) : plainGroups(scope, steps, outputs)
  for (let i = random.between(1, 3); i > 0; i--) {
    const made = random.chance(0.2, 'over aggregates') ? overAggregates(scope) : aggregate(scope)
    const name = scope.names.next('aggN')
    outputs.push({ name, kind: made.kind, shardKey: false, open: made.open })
    steps.push({ tag: made.tag, parts: [`.select((eb) => ${made.code}.as('${name}'))`] })
  }
  if (random.chance(0.22, 'having')) steps.push(having(scope))
  const exact = outputs.every(({ kind, open }) => open === undefined && kind !== 'json')
  if (scope.depth === 0 && exact && random.chance(0.06)) steps.push({ tag: 'distinct', parts: ['.distinct()'] })
  if (scope.depth === 0 && random.chance(0.55, ...clausesIn('tails'))) steps.push(...tail(scope, outputs, grouped))
  return { steps, outputs, unique: grouped.total && grouped.nonNull ? grouped.names : [] }
}

interface Grouped {
  /** The outputs that are groups. */
  readonly names: readonly string[]
  /** Together they tell all groups apart. */
  readonly total: boolean
  readonly nonNull: boolean
}

const groupable: readonly Kind[] = [
  'int',
  'text',
  'bool',
  'date',
  'key',
  'enum',
  'ctext',
  'ci',
  'num',
  'ts',
  'big',
  'money',
  'small',
  'en',
  'char',
  'time',
]

function plainGroups(scope: Scope, steps: Step[], outputs: Output[]): Grouped {
  const { random } = scope
  const count = random.weighted([
    [2, 0],
    [5, 1, 'group by', 'group by hidden'],
    [3, 2, 'group by', 'group by hidden'],
  ] as const)
  const names: string[] = []
  let hidden = false
  for (let i = 0; i < count; i++) {
    const made = random.chance(0.12, 'group by key')
      ? column(scope, ['key'])
      : random.chance(0.75)
        ? column(scope, groupable)
        : expression(scope, 1)
    if (!made || made.open || ['json', 'float', 'real', 'bytes', 'id', 'interval'].includes(made.kind)) continue
    const name = scope.names.next('grpG')
    const hasParameter = /eb\.val|sql\.val|^eb\('|\.when\(|'\+'|'\*'/.test(made.code)
    if (random.chance(0.12, 'group by hidden') && !hasParameter) {
      hidden = true
      steps.push({ tag: 'group by hidden', parts: [`.groupBy((eb) => ${made.code})`] })
      continue
    }
    const shardKey =
      made.ref !== undefined &&
      scope.relations[0]?.keys.some((key) => `${scope.relations[0]?.alias}.${key}` === made.ref) === true
    outputs.push({ name, kind: made.kind, shardKey, open: spelling(made.kind) })
    names.push(name)
    const by =
      made.ref && random.chance(0.6)
        ? quoted(made.ref)
        : hasParameter || random.chance(0.3)
          ? random.chance(0.15)
            ? `sql\`${outputs.length}\``
            : quoted(name)
          : `(eb) => ${made.code}`
    steps.push({ tag: 'group by', parts: [`.select((eb) => ${made.code}.as('${name}')).groupBy(${by})`] })
  }
  return { names, total: !hidden && names.length > 0, nonNull: true }
}

function groupingSets(scope: Scope, steps: Step[], outputs: Output[]): Grouped {
  const first = column(scope, ['int', 'bool', 'enum', 'small'])
  const second = column(scope, ['date', 'text', 'key', 'ctext', 'en'])
  if (!first?.ref || !second?.ref) return plainGroups(scope, steps, outputs)
  const [a, b] = [first.ref, second.ref].map((ref) => `\${sql.ref(${quoted(ref)})}`)
  const form = scope.random.pick([`rollup(${a}, ${b})`, `cube(${a}, ${b})`, `grouping sets ((${a}), (${b}), ())`])
  const names = [first, second].map((made) => {
    const name = scope.names.next('grpG')
    outputs.push({ name, kind: made.kind, shardKey: false })
    return name
  })
  const grouping = scope.random.chance(0.5) ? `.select(sql\`grouping(${a}, ${b})\`.as('gr'))` : ''
  steps.push({
    tag: 'grouping sets',
    parts: [
      `.select(['${first.ref} as ${names[0]}', '${second.ref} as ${names[1]}'])${grouping}.groupBy(sql\`${form}\`)`,
    ],
    keep: true,
  })
  return { names, total: false, nonNull: false }
}

function having(scope: Scope): Step {
  const { random } = scope
  let made: Aggregate = aggregate(scope, true)
  for (let i = 0; i < 5 && !made.number; i++) made = aggregate(scope, true)
  if (!made.number) made = { code: 'eb.fn.countAll()', tag: 'count', kind: 'big', number: true }
  const operator = random.pick(["'>'", "'<='", "'<>'", "'='"])
  return { tag: 'having', parts: [`.having((eb) => eb(${made.code}, ${operator}, ${random.between(0, 12)}))`] }
}

function tail(scope: Scope, outputs: readonly Output[], grouped: Grouped): Step[] {
  const { random } = scope
  const steps: Step[] = []
  for (const output of random.some(sortable(outputs), random.wishes(['order by position']) ? 1 : 0, 2))
    steps.push(orderByOutput(scope, output, grouped.nonNull ? outputs.indexOf(output) + 1 : undefined))
  if (random.chance(0.25, 'order by hidden')) {
    let made = aggregate(scope, true)
    for (let i = 0; i < 5 && isInexact(made.open); i++) made = aggregate(scope, true)
    if (!isInexact(made.open))
      steps.push({ tag: 'order by hidden', parts: [`.orderBy((eb) => ${made.code}${direction(scope)})`] })
  }
  if (grouped.total && random.chance(0.75)) {
    steps.push({
      tag: 'order by',
      parts: grouped.names.map((name) => `.orderBy('${name}'${direction(scope)})`),
      total: true,
    })
  }
  if (steps.length === 0) return []
  const limiting = ['limit', 'offset', 'fetch', 'fetch with ties']
  return random.chance(0.5, ...limiting) ? [...steps, ...limits(scope, true)] : steps
}
