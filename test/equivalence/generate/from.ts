import { type Part, type Query, quoted, type Step } from '../code.ts'
import type { TableName } from '../world/columns.ts'
import { condition, tiedTo } from './conditions.ts'
import { inner, type Relation, type Scope, tableRelation } from './scope.ts'
import { selectQuery } from './select.ts'
import { setOperations } from './set-operations.ts'

/** FROM and its joins. */
export interface From {
  /** WITH, before selectFrom. */
  readonly before: readonly Step[]
  readonly steps: readonly Step[]
  readonly relations: readonly Relation[]
}

type Outer = Omit<Scope, 'relations'>

export function from(outer: Outer, root: 'db' | 'eb'): From {
  const { random } = outer
  const small = outer.depth > 1 || (outer.depth === 1 && !random.chance(0.25))
  return random.weighted<() => From>([
    [small ? 8 : 5, () => single(outer)],
    [3.4, () => joined(outer)],
    [0.3, () => commaJoined(outer)],
    ...(small
      ? []
      : ([
          [1.2, () => derived(outer)],
          [root === 'db' ? 1.2 : 0, () => withCte(outer)],
          [root === 'db' ? 0.3 : 0, () => recursive(outer)],
          [0.4, () => functionTable(outer)],
          [0.4, () => lateral(outer)],
        ] as const)),
  ])()
}

function table(outer: Outer): TableName {
  return outer.random.weighted<TableName>([
    [6, 't'],
    [3, 'u'],
    [1.2, 'x'],
    [0.7, 'w'],
    [1, 'r'],
    [0.25, 'o'],
  ])
}

function starting(name: TableName, outer: Outer): { step: Step; relation: Relation } {
  const plain = outer.depth === 0 && outer.random.chance(0.15)
  const alias = plain ? name : outer.names.next('a')
  const code = plain ? quoted(name) : quoted(`${outer.random.chance(0.06) ? 'public.' : ''}${name} as ${alias}`)
  return { step: { tag: 'from', parts: [`.selectFrom(${code})`], keep: true }, relation: tableRelation(name, alias) }
}

function single(outer: Outer): From {
  const { step, relation } = starting(table(outer), outer)
  return { before: [], steps: [step], relations: [relation] }
}

function joined(outer: Outer): From {
  const { random } = outer
  const first = starting(
    random.weighted<TableName>([
      [6, 't'],
      [3, 'u'],
      [1, 'x'],
      [1, 'r'],
    ]),
    outer,
  )
  const relations = [first.relation]
  const steps = [first.step]
  const count = random.weighted([
    [7, 1],
    [3, 2],
  ] as const)
  for (let i = 0; i < count; i++) {
    const { step, relation } = join(relations, outer)
    relations.push(relation)
    steps.push(step)
  }
  return { before: [], steps, relations }
}

/** `from t, u where t.k = u.k` */
function commaJoined(outer: Outer): From {
  const [a, b] = [outer.names.next('a'), outer.names.next('a')]
  const [first, second] = [tableRelation('t', a), tableRelation(outer.random.pick(['u', 'r', 'x'] as const), b)]
  const link = second.keys.length > 0 ? `.whereRef('${a}.k', '=', '${b}.k')` : `.whereRef('${a}.g', '=', '${b}.g')`
  return {
    before: [],
    steps: [
      { tag: 'comma join', parts: [`.selectFrom(['t as ${a}', '${second.table} as ${b}'])`], keep: true },
      { tag: 'where', parts: [link] },
    ],
    relations: [first, second],
  }
}

/** Mostly on the shard key or with a reference table; at times on something else, which is refused. */
function join(present: readonly Relation[], outer: Outer): { step: Step; relation: Relation } {
  const { random, names } = outer
  const alias = names.next('a')
  const name = random.weighted<TableName>([
    [3, 'u'],
    [3, 't'],
    [1, 'x'],
    [3, 'r'],
    [0.15, 'w'],
    [0.1, 'o'],
  ])
  const relation = tableRelation(name, alias)
  const keyed = present.filter(({ keys }) => keys.length > 0)
  const other = random.pick(present)
  const onKey = relation.keys.length > 0 && keyed.length > 0 && random.chance(0.96)
  const owner = onKey ? random.pick(keyed) : other
  const equality = onKey
    ? `.onRef(${quoted(`${alias}.k`)}, '=', ${quoted(`${owner.alias}.${owner.keys[0]}`)})`
    : `.onRef(${quoted(`${alias}.${name === 'w' ? 'v' : 'g'}`)}, '=', ${quoted(`${other.alias}.${integerOf(other)}`)})`
  const more: string[] = []
  if (onKey && random.chance(0.4))
    more.push(`.onRef(${quoted(`${alias}.g`)}, '=', ${quoted(`${owner.alias}.${integerOf(owner)}`)})`)
  if (random.chance(0.25)) {
    const scope: Scope = { ...outer, relations: [relation, other] }
    more.push(`.on((eb) => ${condition(scope, { simple: true })})`)
  }
  const kinds =
    name === 'r' || onKey
      ? ([
          [5, 'innerJoin'],
          [3, 'leftJoin'],
          [0.8, 'rightJoin'],
          [0.8, 'fullJoin'],
        ] as const)
      : ([
          [5, 'innerJoin'],
          [1, 'leftJoin'],
        ] as const)
  const kind = random.weighted<string>(kinds)
  return {
    relation,
    step: {
      tag: kind,
      parts: [`.${kind}('${name} as ${alias}', (join) => join${equality}${more.join('')})`],
      smaller: more.length > 0 ? [[`.${kind}('${name} as ${alias}', (join) => join${equality})`]] : [],
    },
  }
}

/** A column to join on. */
function integerOf({ columns }: Relation): string {
  const names = columns.filter(({ kind }) => kind === 'int' || kind === 'id' || kind === 'big')
  return (names.find(({ name }) => name === 'g') ?? names[0] ?? columns[0])?.name ?? 'id'
}

/** What a subquery gives, as a relation. */
function relationOf(alias: string, made: ReturnType<typeof selectQuery>): Relation {
  return {
    alias,
    table: undefined,
    columns: made.outputs.map(({ name, kind }) => ({ name, kind: kind === 'id' ? 'int' : kind })),
    keys: made.outputs.filter(({ shardKey }) => shardKey).map(({ name }) => name),
    unique: made.unique,
  }
}

function derived(outer: Outer): From {
  const { names, random } = outer
  const alias = names.next('d')
  const inside = { ...outer, depth: outer.depth + 1 }
  const made = random.chance(0.2) ? setOperations(inside, 'eb') : selectQuery(inside, 'eb')
  const relation = relationOf(alias, made)
  const steps: Step[] = [
    { tag: 'derived table', parts: ['.selectFrom((eb) => ', made.query, `.as('${alias}'))`], keep: true },
  ]
  const relations = [relation]
  if (random.chance(0.4)) {
    const { step, relation: more } = join(relations.filter(usable), { ...outer })
    steps.push(step)
    relations.push(more)
  } else if (relation.keys.length > 0 && random.chance(0.3)) {
    return turned(relation, made.query, outer)
  }
  return { before: [], steps, relations }
}

/** `t join (subquery) on the key`. */
function turned(relation: Relation, query: Query, outer: Outer): From {
  const first = starting('t', outer)
  const kind = outer.random.pick(['innerJoin', 'leftJoin'])
  const parts: Part[] = [
    `.${kind}((eb) => `,
    query,
    `.as('${relation.alias}'), (join) => join.onRef('${relation.alias}.${relation.keys[0]}', '=', '${first.relation.alias}.k'))`,
  ]
  return { before: [], steps: [first.step, { tag: kind, parts }], relations: [first.relation, relation] }
}

function usable(relation: Relation): boolean {
  return relation.columns.length > 0
}

function withCte(outer: Outer): From {
  const { names, random } = outer
  const name = random.chance(0.1) ? 'x' : names.next('cte')
  const inside = { ...outer, depth: outer.depth + 1 }
  const made = random.chance(0.15) ? setOperations(inside, 'db') : selectQuery(inside, 'db')
  const alias = names.next('a')
  const relation = relationOf(alias, made)
  const hint = random.weighted([
    [4, `(cte) => cte('${name}')`],
    [1, `(cte) => cte('${name}').materialized()`],
    [5, quoted(name)],
  ] as const)
  const before: Step[] = [{ tag: 'cte', parts: [`.with(${hint}, (db) => `, made.query, ')'], keep: true }]
  const steps: Step[] = [{ tag: 'from', parts: [`.selectFrom('${name} as ${alias}')`], keep: true }]
  if (random.chance(0.25) && relation.columns.length > 0) {
    // The same CTE twice.
    const again = names.next('a')
    const column = (relation.keys[0] ?? relation.columns[0]?.name) as string
    steps.push({
      tag: 'cte twice',
      parts: [`.innerJoin('${name} as ${again}', '${again}.${column}', '${alias}.${column}')`],
    })
    return { before, steps, relations: [relation, { ...relation, alias: again }] }
  }
  if (name !== 'x' && random.chance(0.3)) {
    const { step, relation: more } = join([relation], outer)
    return { before, steps: [...steps, step], relations: [relation, more] }
  }
  return { before, steps, relations: [relation] }
}

/** Rows followed along the shard key. */
function recursive(outer: Outer): From {
  const alias = outer.names.next('a')
  const keyed = outer.random.chance(0.85)
  const link = keyed ? ".onRef('b.k', '=', 'walk.k')" : ''
  const code = `.withRecursive('walk', (db) => db.selectFrom('t').select(['t.k', 't.id', 't.g']).where('t.id', '<=', 12).unionAll((db) => db.selectFrom('walk').innerJoin('t as b', (join) => join${link}.on(sql\`b.id = walk.id + 9\`)).select(['b.k', 'b.id', 'b.g'])))`
  return {
    before: [{ tag: 'recursive cte', parts: [code], keep: true }],
    steps: [{ tag: 'from', parts: [`.selectFrom('walk as ${alias}')`], keep: true }],
    relations: [
      {
        alias,
        table: undefined,
        columns: [
          { name: 'k', kind: 'key' },
          { name: 'id', kind: 'int' },
          { name: 'g', kind: 'int' },
        ],
        keys: ['k'],
        unique: ['id'],
      },
    ],
  }
}

function functionTable(outer: Outer): From {
  const { names, random } = outer
  const alias = names.next('f')
  const first = starting('t', outer)
  const series: Relation = { alias, table: undefined, columns: [{ name: 'i', kind: 'int' }], keys: [], unique: ['i'] }
  const call = `sql\`generate_series(1, 3)\`.as(sql\`${alias}(i)\`)`
  if (random.chance(0.3)) {
    return {
      before: [],
      steps: [{ tag: 'function in from', parts: [`.selectFrom(${call})`], keep: true }],
      relations: [series],
    }
  }
  const step: Step = random.chance(0.5)
    ? { tag: 'function in from', parts: [`.innerJoin(${call}, (join) => join.onTrue())`] }
    : { tag: 'function in from', parts: [`.crossJoin(${call})`] }
  return { before: [], steps: [first.step, step], relations: [first.relation, series] }
}

function lateral(outer: Outer): From {
  const { names, random } = outer
  const first = starting('t', outer)
  const alias = names.next('l')
  const own = tableRelation('u', names.next('a'))
  const scope: Scope = { ...outer, relations: [own], depth: outer.depth + 1 }
  const tie = random.chance(0.85) ? tiedTo([first.relation], own, inner(scope, [own])) : ''
  const query = `eb.selectFrom('u as ${own.alias}').select(['${own.alias}.id', '${own.alias}.g', '${own.alias}.m'])${tie}.orderBy('${own.alias}.id').limit(2)`
  const kind = random.pick(['innerJoinLateral', 'leftJoinLateral'])
  return {
    before: [],
    steps: [
      first.step,
      { tag: 'lateral', parts: [`.${kind}((eb) => ${query}.as('${alias}'), (join) => join.onTrue())`] },
    ],
    relations: [
      first.relation,
      {
        alias,
        table: undefined,
        columns: [
          { name: 'id', kind: 'int' },
          { name: 'g', kind: 'int' },
          { name: 'm', kind: 'money' },
        ],
        keys: [],
        unique: ['id'],
      },
    ],
  }
}
