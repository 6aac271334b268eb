import { filledColumns, keyOf, type TableName, tableNames } from '../world/columns.ts'
import type { OpenWorld } from '../world/open-world.ts'

/** Looks at what PostgreSQL filled into rows during a statement: one moment for all, values of their own, copies alike. */
export async function filledWrongly(open: OpenWorld): Promise<string | undefined> {
  for (const table of tableNames) {
    if (!filledColumns[table]) continue
    const { oracle, shards } = await open.filled(table)
    const own = faultOf(table, oracle)
    if (own) throw new Error(`one PostgreSQL itself: ${own}`)
    const copies = keyOf[table] ? [shards.flat()] : shards
    const different = copies.find((copy) => copy.join() !== copies[0]?.join())
    if (different) return `table ${table}: copies differ\n    ${copies[0]?.join(' ')}\n    ${different.join(' ')}`
    const wrong = faultOf(table, copies[0] ?? [])
    if (wrong) return wrong
  }
  return undefined
}

function faultOf(table: TableName, texts: readonly string[]): string | undefined {
  const rows = texts.map((text) => JSON.parse(text) as Record<string, string>)
  for (const { name, like } of filledColumns[table] ?? []) {
    const values = rows.flatMap((row) => row[name] ?? [])
    const distinct = new Set(values).size
    if (like === 'moment' && distinct > 1)
      return `table ${table}: ${distinct} moments in '${name}': ${[...new Set(values)].join(', ')}`
    if ((like === 'own' || (like === 'number' && keyOf[table])) && distinct < values.length)
      return `table ${table}: ${values.length} rows share ${distinct} values in '${name}'`
  }
  return undefined
}
