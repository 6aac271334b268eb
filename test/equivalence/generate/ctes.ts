import { quoted, type Step } from '../code.ts'
import { condition } from './conditions.ts'
import { type From, innerQuery, type Outer, relationOf } from './from.ts'
import { keyCode, type Relation, tableRelation } from './scope.ts'

function reading(name: string, alias: string): Step {
  return { tag: 'from', parts: [`.selectFrom('${name} as ${alias}')`], keep: true }
}

/** One CTE, at times named like a table, at times read twice. */
export function withCte(outer: Outer): From {
  const { names, random } = outer
  const name = random.chance(0.1) ? 'x' : names.next('cte')
  const made = innerQuery(outer, 'db')
  const alias = names.next('a')
  const relation = relationOf(alias, made)
  const hint = random.weighted([
    [4, `(cte) => cte('${name}')`],
    [1, `(cte) => cte('${name}').materialized()`],
    [1, `(cte) => cte('${name}').notMaterialized()`],
    [5, quoted(name)],
  ] as const)
  const before: Step[] = [{ tag: 'cte', parts: [`.with(${hint}, (db) => `, made.query, ')'], keep: true }]
  const from = { before, steps: [reading(name, alias)], relations: [relation] }
  const column = relation.keys[0] ?? relation.columns.find((own) => own.open === undefined)?.name
  if (column === undefined || !random.chance(0.25, 'cte twice')) return from
  const again = names.next('a')
  const step: Step = {
    tag: 'cte twice',
    parts: [`.innerJoin('${name} as ${again}', '${again}.${column}', '${alias}.${column}')`],
  }
  return { ...from, steps: [...from.steps, step], relations: [relation, { ...relation, alias: again }] }
}

/** A CTE that reads the one before it. */
export function chainedCtes(outer: Outer): From {
  const { names, random } = outer
  const [first, second] = [names.next('cte'), names.next('cte')]
  const made = innerQuery(outer, 'db')
  const inner = relationOf(names.next('a'), made)
  const scope = { ...outer, relations: [inner], depth: outer.depth + 1 }
  const filter = random.chance(0.6) ? `.where((eb) => ${condition(scope, { simple: true })})` : ''
  const list = inner.columns.map(({ name }) => `'${inner.alias}.${name}'`).join(', ')
  const alias = names.next('a')
  return {
    before: [
      { tag: 'cte', parts: [`.with('${first}', (db) => `, made.query, ')'], keep: true },
      {
        tag: 'cte chain',
        parts: [`.with('${second}', (db) => db.selectFrom('${first} as ${inner.alias}').select([${list}])${filter})`],
        keep: true,
      },
    ],
    steps: [reading(second, alias)],
    relations: [{ ...inner, alias }],
  }
}

/** Rows followed along the shard key. */
export function recursive(outer: Outer): From {
  const alias = outer.names.next('a')
  const walk = outer.names.next('walk')
  const keyed = outer.random.chance(0.95)
  const link = keyed ? `.onRef('b.k', '=', '${walk}.k')` : ''
  const all = outer.random.pick(['unionAll', 'union'])
  const code = `.withRecursive('${walk}', (db) => db.selectFrom('t').select(['t.k', 't.id', 't.g']).where('t.id', '<=', 12).${all}((db) => db.selectFrom('${walk}').innerJoin('t as b', (join) => join${link}.on(sql\`b.id = ${walk}.id + 9\`)).select(['b.k', 'b.id', 'b.g'])))`
  return {
    before: [{ tag: 'recursive cte', parts: [code], keep: true }],
    steps: [reading(walk, alias)],
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

/** A CTE that writes, with its rows read by the statement. */
export function writingCte(outer: Outer): From {
  const { names, random } = outer
  const filter = random.chance(0.6) ? `.where('u.k', '=', ${keyCode({ ...outer, relations: [] })})` : ''
  const code = random.pick([
    `db.deleteFrom('u')${filter}.where('u.g', '>', 2).returning(['u.k', 'u.id', 'u.g'])`,
    `db.updateTable('u').set({ g: 7 })${filter}.returning(['u.k', 'u.id', 'u.g'])`,
    "db.updateTable('r').set({ g: 7 }).returning(['r.id', 'r.g'])",
  ])
  const alias = names.next('a')
  const moved = names.next('moved')
  const keyed = code.includes("'u'")
  const relation: Relation = {
    alias,
    table: undefined,
    columns: tableRelation(keyed ? 'u' : 'r', alias).columns.filter(({ name }) => ['k', 'id', 'g'].includes(name)),
    keys: keyed ? ['k'] : [],
    unique: ['id'],
  }
  return {
    before: [{ tag: 'writing cte', parts: [`.with('${moved}', (db) => ${code})`], keep: true }],
    steps: [reading(moved, alias)],
    relations: [relation],
  }
}
