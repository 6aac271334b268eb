import type { Query, Step } from '../code.ts'
import { keyOf, type TableName } from '../world/columns.ts'
import { condition, keyCondition } from './conditions.ts'
import { constant } from './expressions.ts'
import type { Outer } from './from.ts'
import { keyCode, type Scope, tableRelation } from './scope.ts'
import { returning, target } from './write-clauses.ts'

/** Constant rows, some with ids that exist already. */
export function insertRows(outer: Outer): Query {
  const { random } = outer
  const table = target(outer)
  const count = random.weighted([
    [2, 1],
    [3, 3],
    [2, 6],
  ] as const)
  // Some ids exist already, with their key or another.
  const existing = random.chance(0.4, 'on conflict') ? outer.world.rows[table].slice(0, 3) : []
  const rows = Array.from({ length: count }, (_, i) => {
    const found = existing[i]
    if (!found) return rowCode(table, 1000 + i, outer, keyCode({ ...outer, relations: [] }))
    const own = found[keyOf[table]?.column ?? 'k']
    const key = typeof own === 'number' ? String(own) : `'${String(own).replaceAll("'", "\\'")}'`
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
  if (existing.length > 0 ? random.chance(0.9) : random.chance(0.05, 'on conflict'))
    steps.push(onConflict(table, outer))
  return { head: [`db.insertInto('${table}')`], steps: [...steps, ...returning(table, random)] }
}

function rowCode(table: TableName, id: number, outer: Outer, key: string): string {
  const { random } = outer
  const value = (kind: Parameters<typeof constant>[0]): string =>
    random.chance(0.15) ? 'null' : constant(kind, { ...outer, relations: [] })
  /** A column that is left out, or given as DEFAULT, in some rows. */
  const some = (name: string, kind: Parameters<typeof constant>[0], given = 0.6): string =>
    random.chance(given) ? `, ${name}: ${value(kind)}` : random.chance(0.2) ? `, ${name}: sql\`default\`` : ''
  switch (table) {
    case 't':
      return `{ k: ${key}, id: ${id}, g: ${value('int')}, v: ${value('int')}, name: ${value('text')}, m: ${value('money')} }`
    case 'u':
      return `{ k: ${key}, id: ${id}, tid: ${value('int')}, g: ${value('int')}, name: ${value('text')} }`
    case 'x':
      return `{ id: ${id}, k: ${key}, g: ${value('int')}, name: ${value('text')} }`
    case 'p':
      return `{ owner: ${key}, id: ${id}, g: ${value('int')}, m: ${value('money')}, name: ${value('text')} }`
    case 'w':
      return `{ h: 3, id: ${id}, k: ${key}, v: ${value('int')} }`
    case 'r':
      return `{ id: ${id}, g: ${value('int')}, label: ${value('text')} }`
    case 'o':
      return `{ id: ${id}, g: ${value('int')}, note: ${value('text')} }`
    case 'c':
      return `{ k: ${key}, id: ${id}${some('g', 'int')}${some('v', 'int')}${some('name', 'text')}${some('at', 'ts', 0.25)}${some('uu', 'uuid', 0)} }`
    case 'e':
      return `{ k: ${key}, id: ${id}, g: ${value('int')}${some('at', 'ts', 0.25)} }`
    case 'q':
      return `{ id: ${id}${some('g', 'int')}, label: ${value('text')}${some('at', 'ts', 0.25)} }`
  }
}

export function onConflict(table: TableName, outer: Outer): Step {
  const key = keyOf[table]?.column
  const columns = key ? `['${key}', 'id']` : "['id']"
  const forms = [
    '.onConflict((oc) => oc.doNothing())',
    `.onConflict((oc) => oc.columns(${columns}).doNothing())`,
    `.onConflict((oc) => oc.columns(${columns}).doUpdateSet((eb) => ({ g: eb.ref('excluded.g') })))`,
    `.onConflict((oc) => oc.columns(${columns}).doUpdateSet((eb) => ({ g: eb('${table}.g', '+', 10) })).where('${table}.g', '>', 2))`,
  ]
  if (outer.random.chance(0.4, 'where', 'where key', 'is distinct from', 'tuple')) {
    const scope: Scope = { ...outer, relations: [tableRelation(table, table)] }
    const keyed = outer.random.chance(0.2, 'where key')
    const filter = keyed ? keyCondition(scope) : condition(scope, { simple: true })
    const code = `.onConflict((oc) => oc.columns(${columns}).doUpdateSet((eb) => ({ g: eb('${table}.g', '+', 1) })).where((eb) => ${filter}))`
    return { tag: 'on conflict', parts: [code], more: [keyed ? 'where key' : 'where'] }
  }
  return { tag: 'on conflict', parts: [outer.random.pick(forms)] }
}
