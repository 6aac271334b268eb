import { randomUUID } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { defineSchema, type ShardKey, sharded } from '@shardwright/core'
import type { LocalCluster } from '@shardwright/local-cluster'
import { createShardRouter } from '@shardwright/shard-router'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { AppFolder } from './support/app.ts'
import { type ServedApp, serveApp } from './support/served-app.ts'
import { expectTold } from './support/told-fields.ts'

interface Database {
  tasks: { user_id: ShardKey<string>; id: string; title: string; done: boolean }
}

let app: AppFolder
let cluster: LocalCluster
let env: Record<string, string>
let served: ServedApp

beforeAll(async () => {
  served = await serveApp('looked', 2)
  ;({ app, cluster, env } = served)
  // In a process of its own: this one reads the schema only once.
  await app.run(['migrate', 'up', '--yes'], env)
  const plain = defineSchema<Database>()({ tables: { tasks: sharded('user_id') } })
  await using router = createShardRouter({ schema: plain, topology: { hash: 'postgres', ...cluster.topologyInput() } })
  const ids = Array.from({ length: 60 }, () => randomUUID())
  await router.db
    .insertInto('tasks')
    .values(ids.map((id, n) => ({ user_id: id, id, title: `task ${n}`, done: false })))
    .execute()
  await onEveryShard('create unique index tasks_title on tasks (title)')
  const file = path.join(app.path, 'src/database.ts')
  const source = await readFile(file, 'utf8')
  await writeFile(
    file,
    source
      .replace('import { defineSchema,', 'import { defineSchema, lookup,')
      .replace(
        '  tables: {',
        "  lookups: [lookup({ table: 'tasks', column: 'title', to: 'user_id', unique: true })],\n  tables: {",
      ),
  )
  await writeFile(
    path.join(app.path, 'migrations/0002_lookup.ts'),
    `import { createLookupTable, type MigrationContext } from '@shardwright/migrator'
import type { Kysely } from 'kysely'
export async function up(db: Kysely<unknown>, context: MigrationContext): Promise<void> {
  await createLookupTable(db, context, 'tasks_by_title')
}
`,
  )
})
afterAll(() => served?.stop())

async function onEveryShard(sql: string): Promise<void> {
  for (const shard of cluster.fleet().shards) {
    await using connection = await shard.connect()
    await connection.script(sql)
  }
}

it('a migration makes the lookup; backfill fills it, verify finds what bypassed it, repair mends it', async () => {
  await onEveryShard('create unique index tasks_id on tasks (id)')
  const before = (await app.call(['doctor'], env)).out.replace(/\s+/g, ' ')
  await onEveryShard('drop index tasks_id')
  expect(before).toContain('the lookup tasks_by_title of the schema does not exist -> createLookupTable in a migration')
  expect(before).toMatch(/warning \S.*tasks_id/)
  const up = await app.call(['migrate', 'up', '--yes'], env)
  expect(up, up.out + up.err).toMatchObject({ code: 0 })
  const doctor = await app.call(['doctor'], env)
  expect(doctor.out.replace(/\s+/g, ' ')).toContain('the lookup tasks_by_title is not filled (new)')
  const filled = await app.call(['lookups', 'backfill', 'tasks_by_title'], env)
  expect(filled, filled.err).toMatchObject({ code: 0, out: expect.stringContaining('tasks_by_title: ready, 60 rows') })
  expect(await app.call(['lookups', 'verify'], env)).toMatchObject({
    code: 0,
    out: 'tasks_by_title: 60 rows, 60 entries; 0 missing, 0 stale, 0 duplicates.\n',
  })
  await onEveryShard(
    `set shardwright.lookup_changes = 'off'; update tasks set title = 'raw ' || title where title in ('task 7', 'task 8')`,
  )
  const found = await app.call(['lookups', 'verify', '--json'], env)
  expect(found.code).not.toBe(0)
  expect(JSON.parse(found.out)).toMatchObject([{ lookup: 'tasks_by_title', missing: 2, stale: 2 }])
  expect((await app.call(['lookups', 'repair'], env)).out).toContain('2 added, 2 taken away')
  expect((await app.call(['lookups', 'verify'], env)).code).toBe(0)
  for (const name of ['backfill', 'verify', 'repair'])
    await expectTold(`lookups ${name}`, (await app.call(['lookups', name, '--json'], env)).out)
  expect((await app.call(['lookups', 'verify', 'nothing'], env)).err).toContain('no lookup "nothing"')
  expect((await app.call(['doctor'], env)).out).not.toContain('tasks_by_title')
})
