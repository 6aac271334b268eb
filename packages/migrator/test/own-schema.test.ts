import {
  createFleet,
  createOwnSchema,
  defineSchema,
  defineTopology,
  type Fleet,
  fleetWorkerLeases,
  idLayout,
  lookup,
  type ShardKey,
  sharded,
} from '@shardwright/core'
import type { LocalCluster } from '@shardwright/local-cluster'
import pg from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import {
  addShard,
  assertComplete,
  createLookupTable,
  createMigrator,
  createShardedTable,
  defineMigration,
  transferData,
} from '../src/index.ts'
import { connectTo, freshShards, on, startServer } from './support/fleet.ts'

interface Database {
  accounts: { id: ShardKey<string>; email: string }
}

const schema = defineSchema<Database>()({
  tables: { accounts: sharded('id') },
  lookups: [lookup({ table: 'accounts', column: 'email', to: 'id', unique: true })],
})

const layout = idLayout({ buckets: 16 })

const migrations = [
  defineMigration({
    name: '0001_accounts',
    async up(db, context) {
      await createShardedTable(db, context, 'accounts', (t) =>
        t.addColumn('id', 'uuid').addColumn('email', 'text').addPrimaryKeyConstraint('accounts_pkey', ['id']),
      )
      await createLookupTable(db, context, 'accounts_by_email')
    },
  }),
]

let cluster: LocalCluster
beforeAll(async () => {
  cluster = await startServer()
})
afterAll(() => cluster?.stop())

/** Databases in which the clerk has our schema, and may create no other. */
async function clerksFleet(count: number): Promise<Fleet> {
  const shards = await freshShards(cluster, count)
  const admin = createFleet({ shards, Client: pg.Client })
  for (const { id } of shards) {
    await on(
      admin,
      id,
      `do $$ begin create role clerk login password 'clerk'; exception when duplicate_object then null; end $$;
       grant create on schema public to clerk; create schema shardwright authorization clerk`,
    )
  }
  const clerks = shards.map(({ id, url }) => ({
    id,
    url: Object.assign(new URL(url), { username: 'clerk', password: 'clerk' }).href,
  }))
  return createFleet({ shards: clerks, Client: pg.Client })
}

const topologyOf = (fleet: Fleet) =>
  defineTopology({ hash: 'postgres', shards: fleet.shards.map(({ id }) => ({ id, primary: `postgres://u@h/${id}` })) })

it('a role without the right to create schemas can do all work where the schema of our tables is there', async () => {
  const fleet = await clerksFleet(3)
  const [first, second, added] = fleet.shards
  if (!first || !second || !added) throw new Error('too few shards')
  await expect(on(fleet, 'shard-1', 'create schema if not exists shardwright')).rejects.toMatchObject({ code: '42501' })

  const old = { topologyId: 'old', shards: [first] }
  assertComplete(await createMigrator({ fleet: old, schema, migrations, topology: topologyOf(old) }).up())
  const report = await addShard({ fleet: old, newShard: added, schema, migrations, topology: topologyOf(old) })
  expect(report.check.ready).toBe(true)
  const target = { topologyId: 'new', shards: [second] }
  assertComplete(await createMigrator({ fleet: target, schema, migrations, topology: topologyOf(target) }).up())
  const moved = await transferData({
    schema,
    source: { fleet: old, topology: topologyOf(old) },
    target: { fleet: target, topology: topologyOf(target) },
  })
  expect(moved.tables.map(({ table }) => table)).toEqual(['accounts', 'accounts_by_email'])
  await using lease = await fleetWorkerLeases({ fleet, layout }).acquire()
  expect(lease.worker).toBe(0)
})

it('two sessions that make the schema at once both find it', async () => {
  const shards = await freshShards(cluster, 1)
  const fleet = createFleet({ shards, Client: pg.Client })
  const leases = fleetWorkerLeases({ fleet, layout })
  const one = await connectTo(fleet, 'shard-1')
  await one.query('begin')
  await one.query(createOwnSchema)
  const acquired = leases.acquire()
  await one.query('select pg_sleep(0.2)')
  await one.query('commit')
  await one.release()
  await using lease = await acquired
  expect(lease.worker).toBe(0)
})
