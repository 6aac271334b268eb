/** The clauses that a run counts, by where they stand. A clause counts at any depth of a statement. */
export const clauseGroups = Object.freeze({
  joins: ['innerJoin', 'leftJoin', 'rightJoin', 'fullJoin', 'comma join', 'join subquery', 'lateral'],
  sources: ['derived table', 'cte', 'cte twice', 'cte chain', 'recursive cte', 'function in from', 'writing cte'],
  filters: ['where', 'where key', 'subquery in where', 'exists', 'any/all', 'tuple', 'is distinct from'],
  selections: ['select all', 'distinct', 'distinct on', 'subquery in select', 'json subquery', 'raw expression'],
  groups: ['group by', 'group by hidden', 'grouping sets', 'having', 'filter', 'over aggregates'],
  aggregates: [
    'count',
    'count distinct',
    'sum',
    'sum distinct',
    'avg',
    'min/max',
    'array_agg',
    'string_agg',
    'jsonb_agg',
    'json_agg',
    'bool',
    'bit',
    'statistics',
    'ordered-set',
    'raw aggregate',
  ],
  windows: ['window', 'window frame'],
  nested: ['limit in subquery'],
  tails: [
    'order by',
    'order by hidden',
    'order by position',
    'limit',
    'offset',
    'fetch',
    'fetch with ties',
    'for update',
  ],
  sets: ['union', 'unionAll', 'intersect', 'intersectAll', 'except', 'exceptAll'],
  inserts: ['values', 'insert select'],
  changes: ['set', 'update from', 'delete', 'delete using', 'merge'],
  whens: ['when matched', 'when not matched', 'when not matched by source'],
  conflicts: ['on conflict'],
  returns: ['returning'],
} as const)

export type ClauseGroup = keyof typeof clauseGroups

export const clauses: readonly string[] = Object.freeze(Object.values(clauseGroups).flat())

export function clausesIn(...groups: readonly ClauseGroup[]): string[] {
  return groups.flatMap((group) => [...clauseGroups[group]])
}

const verbs = clausesIn('inserts', 'changes')
const queries = clausesIn('joins', 'sources', 'selections', 'groups', 'aggregates', 'windows', 'nested', 'sets')

interface Exclusion {
  readonly one: readonly string[]
  readonly other: readonly string[]
  readonly why: string
}

/** Pairs that no statement can have, and why. */
const exclusions: readonly Exclusion[] = [
  { one: verbs, other: verbs, why: 'a statement has one verb; a CTE that writes counts as `writing cte`' },
  {
    one: ['values'],
    other: [...queries, 'subquery in where', 'exists', 'any/all'],
    why: 'INSERT ... VALUES has constants; rows from a query are `insert select`',
  },
  { one: ['values', ...clausesIn('changes')], other: clausesIn('tails'), why: 'only SELECT has ORDER BY and LIMIT' },
  {
    one: ['on conflict'],
    other: [...clausesIn('changes', 'whens')],
    why: 'ON CONFLICT belongs to INSERT',
  },
  {
    one: clausesIn('whens'),
    other: [...verbs.filter((verb) => verb !== 'merge'), ...clausesIn('tails')],
    why: 'WHEN belongs to MERGE, which has no ORDER BY and LIMIT',
  },
  {
    one: ['fetch', 'fetch with ties'],
    other: ['limit', 'fetch', 'fetch with ties'],
    why: 'LIMIT and FETCH are one clause of a level; deeper levels count as `limit in subquery`',
  },
  {
    one: ['for update'],
    other: [
      ...queries.filter((clause) => clause !== 'innerJoin' && clause !== 'select all' && clause !== 'raw expression'),
      ...verbs,
      ...clausesIn('conflicts', 'returns', 'whens'),
      'subquery in where',
      'exists',
      'any/all',
      'fetch',
      'fetch with ties',
      'for update',
    ],
    why: 'PostgreSQL locks rows of plain joins only, and WITH TIES not; over shards locks are refused',
  },
  { one: ['recursive cte'], other: ['merge', ...clausesIn('whens')], why: 'WITH RECURSIVE is not for MERGE' },
  {
    one: ['values'],
    other: ['writing cte'],
    why: 'a CTE that writes is read by SELECT, UPDATE, DELETE, MERGE or INSERT ... SELECT',
  },
]

const excluded = new Map<string, string>()
for (const { one, other, why } of exclusions) {
  for (const a of one) for (const b of other) excluded.set(pairOf(a, b), why)
}

export function pairOf(a: string, b: string): string {
  return a < b ? `${a} + ${b}` : `${b} + ${a}`
}

/** Why the two clauses cannot stand in one statement; `undefined` when they can. */
export function exclusionOf(a: string, b: string): string | undefined {
  return excluded.get(pairOf(a, b))
}

/** All pairs that statements can have. */
export const possiblePairs: readonly string[] = Object.freeze(
  clauses.flatMap((a, index) =>
    clauses
      .slice(index + 1)
      .filter((b) => exclusionOf(a, b) === undefined)
      .map((b) => pairOf(a, b)),
  ),
)
