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

export const tasks = `import { type Fleet, locate, type Topology } from '@shardwright/core'
import type { Kysely } from 'kysely'
import type { Database } from './database.ts'

/** Runs \`work\` on the shard that owns the user. */
export async function withShardOf<T>(fleet: Fleet, topology: Topology, userId: string, work: (db: Kysely<Database>) => Promise<T>): Promise<T> {
  const { shard } = locate(topology, { family: 'user_id', type: 'uuid', value: userId })
  await using connection = await fleet.shards[shard]!.connect()
  return await work(connection.kysely<Database>())
}

export async function addTask(db: Kysely<Database>, task: { user_id: string; id: string; title: string }): Promise<void> {
  await db.insertInto('tasks').values({ ...task, done: false }).execute()
}

export async function tasksOf(db: Kysely<Database>, userId: string): Promise<string[]> {
  const rows = await db.selectFrom('tasks').select('title').where('user_id', '=', userId).orderBy('id').execute()
  return rows.map((row) => row.title)
}
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
import { addTask, withShardOf } from './src/tasks.ts'

/** Fills the local cluster of \`shardwright dev\`. */
export async function seed(fleet: Fleet, topology: Topology): Promise<void> {
  for (let user = 0; user < 20; user++) {
    const user_id = randomUUID()
    await withShardOf(fleet, topology, user_id, (db) => addTask(db, { user_id, id: randomUUID(), title: 'Try Shardwright' }))
  }
}
`

export const test = `import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { defineTopology, fleetOf } from '@shardwright/core'
import { startLocalCluster } from '@shardwright/local-cluster'
import { assertComplete, createMigrator } from '@shardwright/migrator'
import pg from 'pg'
import { schema } from '../src/database.ts'
import { addTask, tasksOf, withShardOf } from '../src/tasks.ts'

test('every user finds their own tasks, and users are spread over the shards', async () => {
  await using cluster = await startLocalCluster({ shards: 2, databasePerShard: true })
  const topology = defineTopology({ hash: 'postgres', ...cluster.topologyInput() })
  const fleet = fleetOf(topology, pg.Client)
  assertComplete(await createMigrator({ fleet, schema, topology, migrations: 'migrations' }).up())

  const users = Array.from({ length: 20 }, () => randomUUID())
  for (const user_id of users) {
    await withShardOf(fleet, topology, user_id, (db) => addTask(db, { user_id, id: randomUUID(), title: user_id }))
  }
  for (const user of users) {
    assert.deepEqual(await withShardOf(fleet, topology, user, (db) => tasksOf(db, user)), [user])
  }
  for (const shard of fleet.shards) {
    await using connection = await shard.connect()
    const { rows } = await connection.query<{ tasks: number }>('select count(*)::int as tasks from public.tasks')
    assert.ok(rows[0]!.tasks > 0)
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
