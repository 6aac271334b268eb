import { quoted, type Step } from '../code.ts'
import type { TableName } from '../world/columns.ts'
import { condition, tiedTo } from './conditions.ts'
import { constantRows } from './constant-rows.ts'
import { type From, innerQuery, type Outer, relationOf } from './from.ts'
import { inner, type Relation, type Scope, tableRelation } from './scope.ts'

interface Joined {
  readonly step: Step
  readonly relation: Relation
}

/** FROM with so many joins more. */
export function joinSteps(own: From, count: number, outer: Outer): From {
  const steps = [...own.steps]
  const relations = [...own.relations]
  const joinable = [...(own.joinable ?? own.relations)]
  for (let i = 0; i < count; i++) {
    const make = outer.random.weighted<(present: readonly Relation[], outer: Outer) => Joined | undefined>([
      [7, tableJoin, 'innerJoin', 'leftJoin', 'rightJoin', 'fullJoin'],
      [outer.depth > 1 ? 0 : 0.6, lateral, 'lateral'],
      [outer.depth > 1 ? 0 : 0.7, subqueryJoin, 'join subquery'],
      [0.4, functionJoin, 'function in from'],
    ])
    const joined = make(joinable, outer)
    if (!joined) continue
    steps.push(joined.step)
    relations.push(joined.relation)
    joinable.push(joined.relation)
  }
  return { ...own, steps, relations }
}

/** Mostly on the shard key or with a reference table; at times on something else, which is refused. */
function tableJoin(present: readonly Relation[], outer: Outer): Joined | undefined {
  const { random, names } = outer
  const alias = names.next('a')
  const keyed = present.filter(({ keys }) => keys.length > 0)
  const name = random.weighted<TableName>(
    keyed.length === 0
      ? [
          [6, 'r'],
          [present.every(isEverywhere) ? 4 : 0.1, 't'],
          [present.every(isEverywhere) ? 2 : 0, 'u'],
        ]
      : [
          [3, 'u'],
          [3, 't'],
          [1, 'x'],
          [0.8, 'p'],
          [3, 'r'],
          [0.04, 'w'],
          [0.04, 'o'],
        ],
  )
  const relation = tableRelation(name, alias)
  const other = random.pick(present)
  const onKey = relation.keys.length > 0 && keyed.length > 0 && !random.chance(0.02, 'join off the key')
  const owner = onKey ? random.pick(keyed) : other
  const theirs = integerOf(other)
  if (!onKey && theirs === undefined) return undefined
  const equality = onKey
    ? `.onRef(${quoted(`${alias}.${relation.keys[0]}`)}, '=', ${quoted(`${owner.alias}.${owner.keys[0]}`)})`
    : `.onRef(${quoted(`${alias}.${name === 'w' ? 'v' : 'g'}`)}, '=', ${quoted(`${other.alias}.${theirs}`)})`
  const more: string[] = []
  const also = integerOf(owner)
  if (onKey && also && random.chance(0.4))
    more.push(`.onRef(${quoted(`${alias}.g`)}, '=', ${quoted(`${owner.alias}.${also}`)})`)
  if (random.chance(0.25)) {
    const scope: Scope = { ...outer, relations: [relation, other] }
    more.push(`.on((eb) => ${condition(scope, { simple: true })})`)
  }
  const kind = random.weighted<string>(outerKinds(relation, onKey, keyed.length > 0))
  return {
    relation,
    step: {
      tag: kind,
      parts: [`.${kind}('${name} as ${alias}', (join) => join${equality}${more.join('')})`],
      smaller: more.length > 0 ? [[`.${kind}('${name} as ${alias}', (join) => join${equality})`]] : [],
    },
  }
}

/** True for a reference table or a function: each shard has all of its rows. */
function isEverywhere({ table, alias }: Relation): boolean {
  return table === 'r' || (table === undefined && /^f\d/.test(alias))
}

/** Outer joins that keep the rows of a reference table for want of sharded ones are refused: they are rare. */
function outerKinds({ table }: Relation, onKey: boolean, keyed: boolean) {
  const both = onKey || (table === 'r' && !keyed)
  return [
    [5, 'innerJoin', 'innerJoin'],
    [3, 'leftJoin', 'leftJoin'],
    [both ? 0.8 : 0.1, 'rightJoin', ...(both ? ['rightJoin'] : [])],
    [both ? 0.8 : 0.1, 'fullJoin', ...(both ? ['fullJoin'] : [])],
  ] as unknown as readonly (readonly [number, string, ...string[]])[]
}

/** A column to join on. */
export function integerOf({ columns }: Relation): string | undefined {
  const names = columns.filter(({ kind, open }) => open === undefined && ['int', 'id', 'small'].includes(kind))
  return (names.find(({ name }) => name === 'g') ?? names[0])?.name
}

/** `join (subquery) on the key`. */
function subqueryJoin(present: readonly Relation[], outer: Outer): Joined | undefined {
  const { random, names } = outer
  const alias = names.next('d')
  const made = innerQuery(outer, 'eb')
  const relation = relationOf(alias, made)
  const owner = random.pick(present)
  const keyed = relation.keys.length > 0 && owner.keys.length > 0
  const [own, theirs] = keyed ? [relation.keys[0], owner.keys[0]] : [integerOf(relation), integerOf(owner)]
  if (own === undefined || theirs === undefined || (!keyed && !random.chance(0.15))) return undefined
  const kind = random.pick(keyed ? ['innerJoin', 'leftJoin'] : ['innerJoin'])
  const parts = [
    `.${kind}((eb) => `,
    made.query,
    `.as('${alias}'), (join) => join.onRef('${alias}.${own}', '=', '${owner.alias}.${theirs}'))`,
  ]
  return { relation, step: { tag: 'join subquery', parts } }
}

function lateral(present: readonly Relation[], outer: Outer): Joined | undefined {
  const { names, random } = outer
  const alias = names.next('l')
  const owners = present.filter(({ keys }) => keys.length > 0)
  const name = owners.length > 0 ? random.pick(['u', 't', 'p', 'r'] as const) : 'r'
  const own = tableRelation(name, names.next('a'))
  const scope: Scope = { ...outer, relations: [own], depth: outer.depth + 1 }
  const tie = random.chance(0.93) ? (tiedTo(owners, own, inner(scope, [own])) ?? '') : ''
  const from = `eb.selectFrom('${name} as ${own.alias}')`
  const rows = `${from}.select(['${own.alias}.id', '${own.alias}.g'])${tie}.orderBy('${own.alias}.id').limit(2)`
  const counts = `${from}.select((eb) => [eb.fn.max('${own.alias}.id').as('id'), eb.fn.max('${own.alias}.g').as('g')])${tie}`
  const kind = random.pick(['innerJoinLateral', 'leftJoinLateral'])
  return {
    step: {
      tag: 'lateral',
      parts: [`.${kind}((eb) => ${random.pick([rows, rows, counts])}.as('${alias}'), (join) => join.onTrue())`],
    },
    relation: {
      alias,
      table: undefined,
      columns: [
        { name: 'id', kind: 'int' },
        { name: 'g', kind: 'int' },
      ],
      keys: [],
      unique: ['id'],
    },
  }
}

function functionJoin(present: readonly Relation[], { names, random }: Outer): Joined {
  const alias = names.next('f')
  const owner = random.pick(present)
  const number = integerOf(owner)
  if (number === undefined || !random.chance(0.3)) {
    const { code, relation } = constantRows(alias, random)
    const parts = [random.pick([`.innerJoin(${code}, (join) => join.onTrue())`, `.crossJoin(${code})`])]
    return { step: { tag: 'function in from', parts }, relation }
  }
  const call = `sql\`generate_series(1, least(\${sql.ref('${owner.alias}.${number}')}, 3))\`.as(sql\`${alias}(i)\`)`
  return {
    step: { tag: 'function in from', parts: [`.crossJoinLateral(${call})`] },
    relation: { alias, table: undefined, columns: [{ name: 'i', kind: 'int' }], keys: [], unique: ['i'] },
  }
}
