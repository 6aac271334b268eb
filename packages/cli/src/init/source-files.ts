import { type SkeletonOptions, shardIds, urlVariable } from './skeleton.ts'

export function config(options: SkeletonOptions): string {
  const shards = shardIds(options).map((shard) => `      { id: '${shard}', primary: env('${urlVariable(shard)}') },`)
  return `import { defineConfig, env } from '@shardwright/cli'
import { schema } from './src/database.ts'

export default defineConfig({
  schema,
  topology: {
    id: '${options.name}',
    hash: 'postgres',
    buckets: 1024,
    shards: [
${shards.join('\n')}
    ],
  },
})
`
}

export const database = `import { defineSchema, reference, sharded, type ShardKey } from '@shardwright/core'

export interface Database {
  /** Every user's tasks live on one shard. */
  tasks: { user_id: ShardKey<string>; id: string; title: string; done: boolean }
  /** The same few rows on every shard. */
  plans: { code: string; task_limit: number }
}

export const schema = defineSchema<Database>()({
  tables: { tasks: sharded('user_id'), plans: reference() },
})
`

export const tasks = `import type { Kysely } from 'kysely'
import type { Database } from './database.ts'

export async function addTask(db: Kysely<Database>, task: { user_id: string; id: string; title: string }): Promise<void> {
  await db.insertInto('tasks').values({ ...task, done: false }).execute()
}

/** One shard answers: the router finds the key in the WHERE. */
export async function tasksOf(db: Kysely<Database>, userId: string): Promise<string[]> {
  const rows = await db.selectFrom('tasks').select('title').where('user_id', '=', userId).orderBy('id').execute()
  return rows.map((row) => row.title)
}

/** Every shard answers; give it \`router.fanOut()\`. */
export async function countTasks(db: Kysely<Database>): Promise<number> {
  const row = await db.selectFrom('tasks').select(({ fn }) => fn.countAll().as('tasks')).executeTakeFirstOrThrow()
  return Number(row.tasks)
}
`

export const main = `import { resolveTopology } from '@shardwright/cli'
import { createShardRouter } from '@shardwright/shard-router'
import config from '../shardwright.config.ts'
import { schema } from './database.ts'
import { countTasks } from './tasks.ts'

const router = createShardRouter({ schema, topology: resolveTopology(config) })
console.log(\`There are \${await countTasks(router.fanOut())} tasks on \${router.topology.shards.length} shards.\`)
await router.close()
`

export const migration = `import { createReferenceTable, createShardedTable, type MigrationContext, seedReference } from '@shardwright/migrator'
import type { Kysely } from 'kysely'

export async function up(db: Kysely<unknown>, context: MigrationContext): Promise<void> {
  await createShardedTable(
    db,
    context,
    'tasks',
    (table) =>
      table
        .addColumn('user_id', 'uuid')
        .addColumn('id', 'uuid')
        .addColumn('title', 'text', (column) => column.notNull())
        .addColumn('done', 'boolean', (column) => column.notNull())
        .addPrimaryKeyConstraint('tasks_pkey', ['user_id', 'id']),
    { ownership: true },
  )
  await createReferenceTable(db, context, 'plans', (table) =>
    table.addColumn('code', 'text', (column) => column.primaryKey()).addColumn('task_limit', 'integer', (column) => column.notNull()),
  )
  await seedReference(db, context, 'plans', ['code'], [
    { code: 'free', task_limit: 100 },
    { code: 'team', task_limit: 10000 },
  ])
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable('tasks').execute()
  await db.schema.dropTable('plans').execute()
}
`

export const seed = `import { randomUUID } from 'node:crypto'
import type { Fleet, Topology } from '@shardwright/core'
import { createShardRouter } from '@shardwright/shard-router'
import { schema } from './src/database.ts'
import { addTask } from './src/tasks.ts'

/** Fills the local cluster of \`shardwright dev\`. */
export async function seed(_fleet: Fleet, topology: Topology): Promise<void> {
  const router = createShardRouter({ schema, topology })
  for (let user = 0; user < 20; user++) {
    await addTask(router.db, { user_id: randomUUID(), id: randomUUID(), title: 'Try Shardwright' })
  }
  await router.close()
}
`

export const test = `import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { startLocalCluster } from '@shardwright/local-cluster'
import { assertComplete, createMigrator } from '@shardwright/migrator'
import { createShardRouter } from '@shardwright/shard-router'
import { schema } from '../src/database.ts'
import { addTask, countTasks, tasksOf } from '../src/tasks.ts'

test('every user finds their own tasks, and users are spread over the shards', async () => {
  const cluster = await startLocalCluster({ shards: 2, databasePerShard: true })
  const router = createShardRouter({ schema, topology: { hash: 'postgres', ...cluster.topologyInput() } })
  try {
    const { fleet, topology } = router
    assertComplete(await createMigrator({ fleet, schema, topology, migrations: 'migrations' }).up())

    const users = Array.from({ length: 20 }, () => randomUUID())
    for (const user_id of users) await addTask(router.db, { user_id, id: randomUUID(), title: user_id })
    for (const user of users) assert.deepEqual(await tasksOf(router.db, user), [user])
    assert.equal(await countTasks(router.fanOut()), 20)
    for (const { id } of topology.shards) assert.ok((await countTasks(router.onShard(id))) > 0)
  } finally {
    await router.close()
    await cluster.stop()
  }
})
`

export const tsconfig = `{
  "compilerOptions": {
    "target": "es2023",
    "lib": ["es2024", "esnext.disposable"],
    "module": "nodenext",
    "types": ["node"],
    "strict": true,
    "noEmit": true,
    "allowImportingTsExtensions": true,
    "erasableSyntaxOnly": true,
    "verbatimModuleSyntax": true,
    "skipLibCheck": true
  },
  "include": ["src", "test", "migrations", "*.ts"]
}
`

export function envExample(options: SkeletonOptions): string {
  return shardIds(options)
    .map(
      (shard, index) =>
        `${urlVariable(shard)}=postgres://app:local@127.0.0.1:${5441 + index}/${shard.replaceAll('-', '_')}\n`,
    )
    .join('')
}

export function readme({ name }: SkeletonOptions): string {
  return `# ${name}

    npm install
    npm test                          # starts its own local cluster
    npx shardwright dev               # a local cluster, migrated and seeded, until Ctrl-C
    npx shardwright status --local    # in another terminal

\`shardwright.config.ts\` names the shards; their URLs come from the environment (\`.env.example\`, \`--env-file .env\`).
\`docker compose up -d\` starts one PostgreSQL per shard for those URLs instead.
`
}
