import { render } from '../code.ts'
import type { Case } from '../generate/case.ts'
import { keyOf, type TableName, tableNames, tables } from '../world/columns.ts'
import type { World } from '../world/world.ts'
import { confinedSql, worldSql } from '../world/world-sql.ts'
import { OtherValues } from './other-values.ts'
import { SharedNodes } from './shared-nodes.ts'

const placements: Readonly<Record<TableName, string>> = {
  t: "sharded('k')",
  u: "sharded('k')",
  x: "sharded('k')",
  p: "sharded('owner', { family: 'k' })",
  w: "sharded('h')",
  r: 'reference()',
  o: "single('s1')",
  c: "sharded('k')",
  e: "sharded('k')",
  q: 'reference()',
}

/** A program that shows the failure by itself: schema, rows and query on one PostgreSQL and through a router. */
export function programOf(own: Case, world: World): string {
  const text = render(own.query)
  const named = tableNames.filter((table) => world.rows[table].length > 0 || new RegExp(`\\b${table}\\b`).test(text))
  const shown = (table: TableName): readonly string[] => shownColumns(table, world, text)
  return `import { defineSchema, defineTopology, reference, sharded, single } from '@shardwright/core'
import { startLocalCluster } from '@shardwright/local-cluster'
import { createShardRouter } from '@shardwright/shard-router'
import { CamelCasePlugin, HandleEmptyInListsPlugin, Kysely, OperationNodeTransformer, PostgresDialect, replaceWithNoncontingentExpression, sql } from 'kysely'
import { jsonArrayFrom, jsonObjectFrom } from 'kysely/helpers/postgres'
import pg from 'pg'

const ddl = \`${worldSql(world, named, shown)}\`
const rows = ${JSON.stringify(Object.fromEntries(named.map((table) => [table, rowsOf(table, world, shown(table))])))}
const schema = defineSchema()({ tables: { ${named.map((table) => `${table}: ${placements[table]}`).join(', ')} } })

await using cluster = await startLocalCluster({ shards: 1, icu: true })
const create = (name) => cluster.shards[0].createDatabase(name, { icu: 'und' })
const urls = []
for (let i = 1; i <= ${world.shards}; i++) urls.push(await create(\`s\${i}\`))
const one = new Kysely({ dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: await create('one') }) }) })
for (const statement of ddl.split(';').filter((own) => own.trim() !== '')) {
  await sql.raw(statement).execute(one)
  for (const url of urls) {
    const client = new pg.Client(url)
    await client.connect()
    await client.query(statement)
    await client.end()
  }
}
const topology = defineTopology({ id: 'again', hash: '${world.hash}', pins: ${JSON.stringify(pinsOf(world))},
  shards: urls.map((primary, index) => ({ id: \`s\${index + 1}\`, primary })) })
const router = createShardRouter({ schema, topology })
for (const [table, own] of Object.entries(rows)) {
  for (const row of own) for (const db of [one, router.fanOut()]) await db.insertInto(table).values(row).execute()
}
${confinedSteps(own, named)}const query = (db) => ${render(own.query, '')}
${plannedBefore(own)}const answer = async (run) => { try { return await run() } catch (error) { return \`\${error.message} (\${error.code})\` } }
console.dir({
  one: await answer(() => query(${oneOf(own)}).execute()),
  router: await answer(() => ${doorOf(own)}),
}, { depth: null })
await router.close()
await one.destroy()
${own.door === 'for' ? 'await shown.destroy()\n' : ''}`
}

/** Under `router.for(key)` one PostgreSQL shows the rows of the key only. */
function confinedSteps(own: Case, named: readonly TableName[]): string {
  if (own.door !== 'for') return ''
  return `for (const statement of ${JSON.stringify(confinedSql(named, own.key).split('; '))}) await sql.raw(statement).execute(one)
await sql.raw('alter database one set search_path = confined, public').execute(one)
const shown = new Kysely({ dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: urls[0].replace(/s1$/, 'one') }) }) })
`
}

/** The plugins of the suite; a statement that is planned with the values of the case and runs with others. */
function plannedBefore({ plugin, door, key }: Case): string {
  if (plugin === 'shared nodes') return `${String(SharedNodes)}\n`
  if (plugin !== 'other values') return ''
  const confined = `{ k: ${JSON.stringify(key)} }`
  const [db, options] =
    door === 'for'
      ? [`router.for(${confined})`, `{ costs: false, for: ${confined} }`]
      : ['router.fanOut()', '{ costs: false }']
  return `${String(SharedNodes)}
${String(OtherValues)}
await router.explain(query(${db}.withPlugin(new SharedNodes(true))), ${options}).catch(() => {})
`
}

function pinsOf({ pins }: World) {
  return pins.map(({ key, shard }) => ({ family: 'k', key, shard: `s${shard + 1}` }))
}

/** Columns that the query names or may mean by `*`, and those with values. */
function shownColumns(table: TableName, world: World, text: string): readonly string[] {
  const all = /selectAll|returningAll|toJson/.test(text)
  const needed = new Set(['id', keyOf[table]?.column ?? 'id'])
  return tables[table]
    .map(({ name }) => name)
    .filter(
      (name) =>
        all ||
        needed.has(name) ||
        new RegExp(`\\b${name}\\b`).test(text) ||
        world.rows[table].some((row) => (row[name] ?? null) !== null),
    )
}

/** NULLs are left out, jsonb is given as its text. */
function rowsOf(table: TableName, world: World, names: readonly string[]) {
  const columns = tables[table].filter(({ name }) => names.includes(name))
  return world.rows[table].map((row) => {
    const present = columns.filter(({ name }) => (row[name] ?? null) !== null)
    return Object.fromEntries(
      present.map(({ name, kind }) => [name, kind === 'json' ? JSON.stringify(row[name]) : row[name]]),
    )
  })
}

const plugins: Readonly<Record<Case['plugin'], string>> = {
  none: '',
  'camel case': '.withPlugin(new CamelCasePlugin())',
  'with schema': ".withSchema('public')",
  'empty lists': '.withPlugin(new HandleEmptyInListsPlugin({ strategy: replaceWithNoncontingentExpression }))',
  'shared nodes': '.withPlugin(new SharedNodes())',
  'other values': '.withPlugin(new OtherValues())',
}

function oneOf(own: Case): string {
  return `${own.door === 'for' ? 'shown' : 'one'}${plugins[own.plugin]}`
}

function doorOf(own: Case): string {
  const plugin = plugins[own.plugin]
  switch (own.door) {
    case 'db':
      return `query(router.db${plugin}).execute()`
    case 'fanOut':
      return `query(router.fanOut()${plugin}).execute()`
    case 'for':
      return `query(router.for({ k: ${JSON.stringify(own.key)} })${plugin}).execute()`
    case 'stream':
      return `Array.fromAsync(query(router.fanOut()${plugin}).stream())`
    case 'transaction':
      return `router.transaction({ crossShard: 'atomic', fanOut: true }).execute((transaction) => query(transaction${plugin}).execute())`
  }
}
