import { defineSchema, locate, type ShardKey, sharded, type Topology } from '@shardwright/core'
import { createShardRouter } from '@shardwright/shard-router'
import pg from 'pg'
import type { Stored } from './check-ledger.ts'

export interface FaultDatabase {
  accounts: { account: ShardKey<number>; n: number }
  entries: { account: ShardKey<number>; id: string }
}

export const schema = defineSchema<FaultDatabase>()({
  tables: { accounts: sharded('account'), entries: sharded('account') },
})
export const applicationName = 'faults'

const tables = `create table accounts (account int primary key, n int not null default 0);
  create table entries (account int not null, id text not null);
  create index on entries (id)`

export function openRouter(topology: Topology) {
  return createShardRouter({
    schema,
    topology,
    pool: {
      applicationName,
      size: { minimum: 0, maximum: 6, overflow: 2, acquireTimeoutMs: 5_000 },
      lane: { capMs: 500, answerGraceMs: 1_000 },
      replicas: { reads: 'replica', probeIntervalMs: 200, probeTimeoutMs: 500, tokenWaitMs: 20 },
      retry: { maxRetries: 4 },
      connectTimeoutMs: 2_000,
      closeTimeoutMs: 10_000,
    },
  })
}

/** Some accounts of each shard, so that load can be aimed at one of them. */
export function accountsOf(topology: Topology, perShard: number): ReadonlyMap<string, readonly number[]> {
  const found = new Map<string, number[]>(topology.shards.map((shard) => [shard.id, []]))
  for (let account = 1; [...found.values()].some((list) => list.length < perShard); account++) {
    const { shard } = locate(topology, { family: 'account', type: 'int4', value: account })
    const list = found.get(topology.shards[shard]!.id)!
    if (list.length < perShard) list.push(account)
  }
  return found
}

export async function createTables(
  topology: Topology,
  accounts: ReadonlyMap<string, readonly number[]>,
): Promise<void> {
  for (const shard of topology.shards) {
    await withClient(shard.primary.directUrl, async (client) => {
      await client.query(tables)
      await client.query('insert into accounts (account) select unnest($1::int[])', [accounts.get(shard.id)])
    })
  }
}

/** What the server at `url` holds. */
export function readStored(shard: string, url: string): Promise<Stored> {
  return withClient(url, async (client) => {
    const entries = await client.query<{ id: string; times: number }>(
      'select id, count(*)::int as times from entries group by id',
    )
    const counters = await client.query<{ n: number }>('select coalesce(sum(n), 0)::int as n from accounts')
    return { shard, times: new Map(entries.rows.map((row) => [row.id, row.times])), counted: counters.rows[0]!.n }
  })
}

/** Sessions of the router that are still open on a server. */
export function sessionsOn(url: string): Promise<number> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<{ n: number }>(
      'select count(*)::int as n from pg_stat_activity where application_name = $1',
      [applicationName],
    )
    return rows[0]!.n
  })
}

export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 30_000 })
  client.on('error', () => {})
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
