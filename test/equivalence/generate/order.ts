import { quoted, type Step } from '../code.ts'
import type { Kind } from '../world/columns.ts'
import type { Scope } from './scope.ts'
import type { Output } from './select.ts'

/** A direction as the second argument of orderBy, or nothing. */
export function direction(scope: Scope, kind?: Kind): string {
  const collate = kind === 'text' || kind === 'ctext' || kind === 'en' ? 1 : 0
  return scope.random.weighted<string>([
    [4, ''],
    [3, ", 'desc'"],
    [1, ", 'asc'"],
    [1, ', (ob) => ob.desc().nullsLast()'],
    [1, ', (ob) => ob.asc().nullsFirst()'],
    [0.5, ', (ob) => ob.desc().nullsFirst()'],
    [collate, ", (ob) => ob.desc().collate('C')"],
  ])
}

/** Kinds whose equal values look equal: their order can be read off the result. */
const visible: readonly Kind[] = [
  'id',
  'int',
  'big',
  'money',
  'date',
  'bool',
  'key',
  'enum',
  'bytes',
  'ctext',
  'text',
  'small',
  'time',
  'en',
]

export function orderByOutput(scope: Scope, output: Output, position?: number): Step {
  if (position !== undefined && scope.random.chance(0.12, 'order by position')) {
    return { tag: 'order by position', parts: [`.orderBy(sql\`${position}\`${direction(scope)})`] }
  }
  const shown = visible.includes(output.kind) ? { output: output.name } : {}
  return { tag: 'order by', parts: [`.orderBy('${output.name}'${direction(scope)})`], ...shown }
}

/** The unique columns of every relation: no two rows are equal in them. */
export function orderByUnique(scope: Scope): Step | undefined {
  if (scope.relations.some(({ unique }) => unique.length === 0)) return undefined
  const parts = scope.relations.flatMap(({ alias, unique }) =>
    unique.map((name) => `.orderBy(${quoted(`${alias}.${name}`)}${direction(scope)})`),
  )
  return { tag: 'order by', parts, total: true }
}

/** LIMIT, OFFSET or FETCH, in one of the ways to write them. */
export function limits(scope: Scope, tiesAllowed: boolean): Step[] {
  const { random } = scope
  const limit = random.pick([0, 1, 2, 3, 5, 10, 30])
  const offset = random.pick([0, 1, 4, 12, 1000])
  const limitStep: Step = {
    tag: 'limit',
    parts: [
      `.limit(${random.pick([String(limit), `${limit}n`, `sql\`${limit}\``, `sql\`\${${limit}}::int\``, 'sql`null`'])})`,
    ],
  }
  const offsetStep: Step = {
    tag: 'offset',
    parts: [`.offset(${random.pick([String(offset), `${offset}n`, `sql\`${offset}\``])})`],
  }
  const tiesStep: Step = { tag: 'fetch with ties', parts: [`.fetch(${Math.max(limit, 1)}, 'with ties')`] }
  const fetchStep: Step = { tag: 'fetch', parts: [`.fetch(${limit})`] }
  return random.weighted<Step[]>([
    [5, [limitStep], 'limit'],
    [2, [limitStep, offsetStep], 'limit', 'offset'],
    [1, [offsetStep], 'offset'],
    [0.5, [offsetStep, fetchStep], 'offset', 'fetch'],
    [tiesAllowed ? 2.5 : 0, [tiesStep], 'fetch with ties'],
    [tiesAllowed ? 0.7 : 0, [offsetStep, tiesStep], 'fetch with ties', 'offset'],
    [1, [fetchStep], 'fetch'],
  ])
}
