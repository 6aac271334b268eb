import type { Query, Step } from '../code.ts'
import { quoted } from '../code.ts'
import type { TableName } from '../world/columns.ts'
import { clausesIn } from './clauses.ts'
import { constantRows } from './constant-rows.ts'
import { chainedCtes, recursive, withCte, writingCte } from './ctes.ts'
import { joinSteps } from './joins.ts'
import { type Relation, type Scope, tableRelation } from './scope.ts'
import { selectQuery } from './select.ts'
import { setOperations } from './set-operations.ts'

/** FROM and its joins. */
export interface From {
  /** WITH, before selectFrom. */
  readonly before: readonly Step[]
  readonly steps: readonly Step[]
  readonly relations: readonly Relation[]
  /** Those that a JOIN after them may name; all when left out. */
  readonly joinable?: readonly Relation[]
}

export type Outer = Omit<Scope, 'relations'>

const nested = clausesIn('joins', 'sources', 'groups', 'aggregates', 'windows', 'sets', 'nested')

/** One item to start with, and joins. WITH belongs to `db`; inside an expression only FROM can start. */
export function from(outer: Outer, root: 'db' | 'eb'): From {
  const { random } = outer
  const small = outer.depth > 1 || (outer.depth === 1 && !random.chance(0.25, ...clausesIn('joins', 'sources')))
  const withable = root === 'db' && !small
  const start = random.weighted<(outer: Outer) => From>([
    [small ? 12 : 8, single],
    [0.3, commaJoined, 'comma join'],
    ...(small
      ? []
      : ([
          [1.2, derived, 'derived table', ...(outer.depth === 0 ? nested : [])],
          [0.4, functionTable, 'function in from'],
        ] as const)),
    ...(withable
      ? ([
          [1.2, withCte, 'cte', 'cte twice', ...(outer.depth === 0 ? nested : [])],
          [0.3, chainedCtes, 'cte chain'],
          [0.3, recursive, 'recursive cte'],
          [outer.depth === 0 ? 0.12 : 0, writingCte, 'writing cte'],
        ] as const)
      : []),
  ])
  const own = start(outer)
  const joins = random.weighted([
    [6, 0],
    [3.4, 1, ...clausesIn('joins'), 'function in from'],
    [1.2, 2, ...clausesIn('joins')],
  ] as const)
  return joinSteps(own, Math.min(joins, 3 - own.relations.length), outer)
}

function table(outer: Outer): TableName {
  return outer.random.weighted<TableName>([
    [6, 't'],
    [3, 'u'],
    [1.2, 'x'],
    [1, 'p'],
    [0.7, 'w'],
    [1, 'r'],
    [0.25, 'o'],
  ])
}

function single(outer: Outer): From {
  const name = table(outer)
  const plain = outer.depth === 0 && outer.random.chance(0.15)
  const alias = plain ? name : outer.names.next('a')
  const code = plain ? quoted(name) : quoted(`${outer.random.chance(0.06) ? 'public.' : ''}${name} as ${alias}`)
  const step: Step = { tag: 'from', parts: [`.selectFrom(${code})`], keep: true }
  return { before: [], steps: [step], relations: [tableRelation(name, alias)] }
}

/** `from t, u where t.k = u.k` */
function commaJoined(outer: Outer): From {
  const [a, b] = [outer.names.next('a'), outer.names.next('a')]
  const [first, second] = [tableRelation('t', a), tableRelation(outer.random.pick(['u', 'r', 'x', 'p'] as const), b)]
  const [key] = second.keys
  const link = key ? `.whereRef('${a}.k', '=', '${b}.${key}')` : `.whereRef('${a}.g', '=', '${b}.g')`
  return {
    before: [],
    steps: [
      { tag: 'comma join', parts: [`.selectFrom(['t as ${a}', '${second.table} as ${b}'])`], keep: true },
      { tag: 'where', parts: [link] },
    ],
    relations: [first, second],
    // JOIN binds tighter than the comma.
    joinable: [second],
  }
}

/** What a subquery gives, as a relation. */
export function relationOf(alias: string, made: ReturnType<typeof selectQuery>): Relation {
  return {
    alias,
    table: undefined,
    columns: made.outputs.map(({ name, kind, open }) => ({ name, kind: kind === 'id' ? 'int' : kind, open })),
    keys: made.outputs.filter(({ shardKey }) => shardKey).map(({ name }) => name),
    unique: made.unique,
  }
}

/** A query for FROM, WITH or a join. */
export function innerQuery(outer: Outer, root: 'db' | 'eb'): ReturnType<typeof selectQuery> {
  const inside = { ...outer, depth: outer.depth + 1 }
  return outer.random.chance(0.18, ...clausesIn('sets')) ? setOperations(inside, root) : selectQuery(inside, root)
}

function derived(outer: Outer): From {
  const alias = outer.names.next('d')
  const made = innerQuery(outer, 'eb')
  const query: Query = made.query
  return {
    before: [],
    steps: [{ tag: 'derived table', parts: ['.selectFrom((eb) => ', query, `.as('${alias}'))`], keep: true }],
    relations: [relationOf(alias, made)],
  }
}

function functionTable(outer: Outer): From {
  const { code, relation } = constantRows(outer.names.next('f'), outer.random)
  return {
    before: [],
    steps: [{ tag: 'function in from', parts: [`.selectFrom(${code})`], keep: true }],
    relations: [relation],
  }
}
