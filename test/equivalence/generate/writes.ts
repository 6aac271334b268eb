import type { Part, Query, Step } from '../code.ts'
import type { TableName } from '../world/columns.ts'
import { condition, keyCondition, tiedTo } from './conditions.ts'
import { constant } from './expressions.ts'
import { keyCode, type Scope, tableRelation } from './scope.ts'

type Outer = Omit<Scope, 'relations'>

/** INSERT, UPDATE, DELETE and MERGE of every kind of table. */
export function write(outer: Outer): Query {
  return outer.random.weighted<() => Query>([
    [4, () => insertRows(outer)],
    [1.5, () => insertSelect(outer)],
    [3.5, () => update(outer)],
    [2.5, () => remove(outer)],
    [1.7, () => merge(outer)],
    [0.6, () => writingCte(outer)],
  ])()
}

function scopeOf(outer: Outer, table: TableName, alias: string): Scope {
  return { ...outer, relations: [tableRelation(table, alias)] }
}

function target(outer: Outer): TableName {
  return outer.random.weighted<TableName>([
    [5, 't'],
    [4, 'u'],
    [2, 'r'],
    [1, 'x'],
    [0.3, 'o'],
  ])
}

function rowCode(table: TableName, id: number, outer: Outer, key: string): string {
  const { random } = outer
  const value = (kind: Parameters<typeof constant>[0]): string =>
    random.chance(0.15) ? 'null' : constant(kind, { ...outer, relations: [] })
  switch (table) {
    case 't':
      return `{ k: ${key}, id: ${id}, g: ${value('int')}, v: ${value('int')}, name: ${value('text')}, m: ${value('money')} }`
    case 'u':
      return `{ k: ${key}, id: ${id}, tid: ${value('int')}, g: ${value('int')}, name: ${value('text')} }`
    case 'x':
      return `{ id: ${id}, k: ${key}, g: ${value('int')}, name: ${value('text')} }`
    case 'w':
      return `{ h: 3, id: ${id}, k: ${key}, v: ${value('int')} }`
    case 'r':
      return `{ id: ${id}, g: ${value('int')}, label: ${value('text')} }`
    case 'o':
      return `{ id: ${id}, g: ${value('int')}, note: ${value('text')} }`
  }
}

function returning(table: TableName, random: Scope['random'], chance = 0.45): Step[] {
  if (!random.chance(chance)) return []
  const names = table === 'r' || table === 'o' ? "['id', 'g']" : "['k', 'id', 'g']"
  const parts = random.pick([
    `.returning(${names})`,
    '.returningAll()',
    ".returning((eb) => ['id', eb('g', '+', 1).as('more')])",
  ])
  return [{ tag: 'returning', parts: [parts] }]
}

function insertRows(outer: Outer): Query {
  const { random } = outer
  const table = target(outer)
  const count = random.weighted([
    [2, 1],
    [3, 3],
    [2, 6],
  ] as const)
  // Some ids exist already, with their key or another.
  const existing = random.chance(0.4) ? outer.world.rows[table].slice(0, 3) : []
  const rows = Array.from({ length: count }, (_, i) => {
    const found = existing[i]
    if (!found) return rowCode(table, 1000 + i, outer, keyCode({ ...outer, relations: [] }))
    const key = typeof found['k'] === 'number' ? String(found['k']) : `'${String(found['k']).replaceAll("'", "\\'")}'`
    return rowCode(table, found['id'] as number, outer, key)
  })
  const steps: Step[] = [
    {
      tag: 'values',
      parts: [`.values([${rows.join(', ')}])`],
      keep: true,
      smaller: rows.map((row) => [`.values([${row}])`]),
    },
  ]
  if (existing.length > 0 && random.chance(0.9)) steps.push(onConflict(table, outer))
  return { head: [`db.insertInto('${table}')`], steps: [...steps, ...returning(table, random)] }
}

function onConflict(table: TableName, outer: Outer): Step {
  const columns = table === 'r' || table === 'o' ? "['id']" : table === 'w' ? "['h', 'id']" : "['k', 'id']"
  const forms = [
    '.onConflict((oc) => oc.doNothing())',
    `.onConflict((oc) => oc.columns(${columns}).doNothing())`,
    `.onConflict((oc) => oc.columns(${columns}).doUpdateSet((eb) => ({ g: eb.ref('excluded.g') })))`,
    `.onConflict((oc) => oc.columns(${columns}).doUpdateSet((eb) => ({ g: eb('${table}.g', '+', 10) })).where('${table}.g', '>', 2))`,
  ]
  return { tag: 'on conflict', parts: [outer.random.pick(forms)] }
}

function insertSelect(outer: Outer): Query {
  const { random } = outer
  const colocated = random.chance(0.55)
  const scope = scopeOf(outer, 't', 'a')
  const filter: Step[] = random.chance(0.5)
    ? [{ tag: 'where', parts: [`.where((eb) => ${condition(scope, { simple: true })})`] }]
    : []
  const key = colocated ? "'a.k'" : `(eb) => eb.val(${keyCode(scope)}).as('k')`
  const source = random.weighted<Part[]>([
    [4, [`eb.selectFrom('t as a').select(${key}).select((eb) => [eb('a.id', '+', 2000).as('id'), 'a.g'])`]],
    [1, [`eb.selectFrom('u as a').select('a.k').select((eb) => [eb('a.id', '+', 2000).as('id'), 'a.g'])`]],
    [
      1,
      [
        `eb.selectFrom('t as a').select('a.k').select((eb) => [eb(eb.fn.max('a.id'), '+', 2000).as('id'), eb.cast(eb.fn.sum('a.g'), 'integer').as('g')]).groupBy('a.k')`,
      ],
    ],
    [
      0.7,
      [
        `eb.selectFrom('t as a').innerJoin('x as b', 'b.k', 'a.k').select('b.k').select((eb) => [eb(eb('a.id', '*', 1000), '+', eb.ref('b.id')).as('id'), 'b.g'])`,
      ],
    ],
    [0.4, [`eb.selectFrom('w as a').select('a.k').select((eb) => [eb('a.id', '+', 2000).as('id'), 'a.v'])`]],
  ])
  const into = random.chance(0.85) ? 'u' : 'x'
  const filters = source[0]?.toString().includes("'w as a'") ? [] : filter
  return {
    head: [
      `db.insertInto('${into}').columns(['k', 'id', 'g']).expression((eb) => `,
      { head: source, steps: filters },
      ')',
    ],
    steps: [{ tag: 'insert select', parts: [''], keep: true }, ...returning(into, random, 0.35)],
  }
}

function assignments(table: TableName, outer: Outer): Step {
  const { random } = outer
  const text = table === 'r' ? 'label' : table === 'o' ? 'note' : 'name'
  const choices = [
    `.set({ g: ${random.between(0, 5)} })`,
    `.set((eb) => ({ g: eb('g', '+', 1) }))`,
    `.set({ ${text}: ${constant('text', { ...outer, relations: [] })} })`,
    `.set((eb) => ({ ${text}: eb.fn('upper', ['${text}']), g: null }))`,
  ]
  const keyed = table === 't' || table === 'u' || table === 'x'
  if (keyed && random.chance(0.05)) choices.push(".set((eb) => ({ k: eb.ref('k') }))")
  if (keyed && random.chance(0.03)) choices.push(`.set({ k: ${keyCode({ ...outer, relations: [] })} })`)
  return { tag: 'set', parts: [random.pick(choices)], keep: true }
}

function filters(scope: Scope): Step[] {
  const { random } = scope
  const steps: Step[] = []
  if (random.chance(0.5)) steps.push({ tag: 'where', parts: [`.where((eb) => ${condition(scope)})`] })
  if (random.chance(0.4)) steps.push({ tag: 'where key', parts: [`.where((eb) => ${keyCondition(scope)})`] })
  return steps
}

function update(outer: Outer): Query {
  const { random } = outer
  const table = target(outer)
  const scope = scopeOf(outer, table, table)
  if (table === 't' && random.chance(0.5)) {
    const from = random.pick(['u', 'r'] as const)
    const link =
      from === 'u' ? ".whereRef('b.k', '=', 't.k').whereRef('b.id', '=', 't.id')" : ".whereRef('b.id', '=', 't.g')"
    return {
      head: ["db.updateTable('t')"],
      steps: [
        { tag: 'update from', parts: [`.from('${from} as b').set((eb) => ({ v: eb.ref('b.g') }))${link}`], keep: true },
        ...filters(scope),
        ...(random.chance(0.4) ? [{ tag: 'returning', parts: [".returning(['t.k', 't.id', 'b.id as bid'])"] }] : []),
      ],
    }
  }
  return {
    head: [`db.updateTable('${table}')`],
    steps: [assignments(table, outer), ...filters(scope), ...returning(table, random)],
  }
}

function remove(outer: Outer): Query {
  const { random } = outer
  const table = target(outer)
  const scope = scopeOf(outer, table, table)
  if (table === 't' && random.chance(0.5)) {
    return {
      head: ["db.deleteFrom('t')"],
      steps: [
        {
          tag: 'delete using',
          parts: [".using('u as b').whereRef('b.k', '=', 't.k').whereRef('b.tid', '=', 't.id')"],
          keep: true,
        },
        ...filters(scope),
        ...(random.chance(0.4) ? [{ tag: 'returning', parts: [".returning(['t.k', 't.id'])"] }] : []),
      ],
    }
  }
  const subquery: Step[] = table === 't' && random.chance(0.2) ? [deleteWhereExists(outer)] : []
  return {
    head: [`db.deleteFrom('${table}')`],
    steps: [{ tag: 'delete', parts: [''], keep: true }, ...filters(scope), ...subquery, ...returning(table, random)],
  }
}

function deleteWhereExists(outer: Outer): Step {
  const own = tableRelation('u', 'b')
  const tie = tiedTo([tableRelation('t', 't')], own, { ...outer, relations: [own] }) ?? ''
  return { tag: 'where', parts: [`.where((eb) => eb.exists(eb.selectFrom('u as b').select('b.id')${tie}))`] }
}

function merge(outer: Outer): Query {
  const { random } = outer
  const when: Step[] = []
  const source = random.weighted([
    [5, 'u'],
    [1.5, 'r'],
  ] as const)
  const scope: Scope = { ...outer, relations: [tableRelation(source, 'b')] }
  const key = source === 'u' && random.chance(0.85) ? "eb.ref('b.k')" : keyCode(scope)
  const on =
    source === 'u'
      ? ".onRef('b.k', '=', 't.k').onRef('b.id', '=', 't.id')"
      : random.chance(0.4)
        ? `.on('t.k', '=', ${keyCode(scope)}).onRef('b.id', '=', 't.id')`
        : ".onRef('b.id', '=', 't.id')"
  if (random.chance(0.5))
    when.push({
      tag: 'when matched',
      parts: [`.whenMatchedAnd((eb) => ${condition(scope, { simple: true })}).thenDelete()`],
    })
  when.push({
    tag: 'when matched',
    parts: [".whenMatched().thenUpdateSet((eb) => ({ g: eb.ref('b.g') }))"],
    keep: true,
  })
  if (random.chance(0.5))
    when.push({
      tag: 'when not matched',
      parts: [
        `.whenNotMatched().thenInsertValues((eb) => ({ k: ${key}, id: eb('b.id', '+', 3000), g: eb.ref('b.g') }))`,
      ],
    })
  if (random.chance(0.45))
    when.push({ tag: 'when not matched by source', parts: ['.whenNotMatchedBySource().thenUpdateSet({ v: 99 })'] })
  if (random.chance(0.3)) when.push({ tag: 'returning', parts: [".returning(['t.k', 't.id', 'b.g'])"] })
  return {
    head: ["db.mergeInto('t')"],
    steps: [{ tag: 'merge', parts: [`.using('${source} as b', (on) => on${on})`], keep: true }, ...when],
  }
}

/** A CTE that writes, with its rows read by the statement. */
function writingCte(outer: Outer): Query {
  const { random } = outer
  const key = keyCode({ ...outer, relations: [] })
  const keyed = random.chance(0.7) ? `.where('k', '=', ${key})` : ''
  const inner = random.pick([
    `db.deleteFrom('u')${keyed}.where('g', '>', 2).returning(['k', 'id', 'g'])`,
    `db.updateTable('u').set({ g: 7 })${keyed}.returning(['k', 'id', 'g'])`,
    `db.updateTable('r').set({ g: 7 }).returning(['id', 'g'])`,
  ])
  return {
    head: ['db'],
    steps: [
      { tag: 'writing cte', parts: [`.with('moved', (db) => ${inner}).selectFrom('moved').selectAll()`], keep: true },
    ],
  }
}
