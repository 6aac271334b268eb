// A rollup keeps its history while the partition manager's retention removes the raw partitions, under writers.
import type { FleetConnection } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { definePartitions, maintain } from '@shardwright/partition-manager'
import { createViewManager, defineRollup } from '@shardwright/view-manager'
import { afterAll, beforeAll, expect, it } from 'vitest'

interface Database {
  payments: { user_id: string; amount: string; at: Date }
  per_month: { bucket: Date; user_id: string; total: string; payments: string }
}

let cluster: LocalCluster
beforeAll(async () => {
  cluster = await startLocalCluster({ shards: 2, databasePerShard: true })
}, 180_000)
afterAll(() => cluster?.stop(), 60_000)

const perMonth = defineRollup<Database>()({
  name: 'per_month',
  source: 'payments',
  time: 'at',
  bucket: 'month',
  keys: ['user_id'],
  measures: { total: { sum: 'amount' }, payments: { count: true } },
})

const now = new Date()
const monthsAgo = (months: number) => new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - months, 1))
const partitions = (retention: boolean) =>
  definePartitions<Database>()({
    table: 'payments',
    by: 'at',
    every: 'month',
    from: monthsAgo(15).toISOString().slice(0, 10),
    // biome-ignore lint/suspicious/noThenProperty: the policy's own word, as in `keep 12 months, then drop`.
    ...(retention && { retention: { keep: '12 months', then: 'drop' as const } }),
  })

async function figures(connection: FleetConnection, table: string) {
  const { rows } = await connection.query<{ months: number; total: string }>(
    table === 'per_month'
      ? 'select count(*)::int as months, sum(total)::text as total from per_month'
      : "select count(distinct date_trunc('month', at, 'UTC'))::int as months, sum(amount)::text as total from payments",
  )
  return rows[0]
}

it('keeps 16 months where 13 are left, and goes on from what is written meanwhile', async () => {
  const fleet = cluster.fleet()
  for (const shard of fleet.shards) {
    await using connection = await shard.connect()
    await connection.script(
      'create table payments (user_id text not null, amount numeric not null, at timestamptz not null) partition by range (at)',
    )
  }
  expect((await maintain(fleet, [partitions(false)])).exitCode).toBe(0)
  const manager = createViewManager({ fleet, rollups: [perMonth] })
  await manager.install()
  for (const shard of fleet.shards) {
    await using connection = await shard.connect()
    for (let months = 0; months <= 15; months++) {
      await connection.query("insert into payments values ('u', 10, $1)", [monthsAgo(months)])
    }
  }
  expect((await manager.refresh()).map(({ buckets }) => buckets)).toEqual([16, 16])

  const [first] = fleet.shards
  await using writer = await first!.connect()
  let writing = true
  let written = 0
  const writes = (async () => {
    for (; writing; written++) await writer.query("insert into payments values ('u', 1, now())")
  })()
  const [report, ...refreshes] = await Promise.all([
    maintain(fleet, [partitions(true)]),
    manager.refresh(),
    manager.refresh(),
  ])
  writing = false
  await writes
  expect(report.exitCode).toBe(0)
  expect(refreshes.flat().filter(({ outcome }) => outcome === 'failed')).toEqual([])

  const last = await manager.refresh()
  expect(last.map(({ outcome, frozenBuckets }) => [outcome, frozenBuckets])).toEqual([
    ['refreshed', 0],
    ['refreshed', 0],
  ])
  for (const [at, shard] of fleet.shards.entries()) {
    await using connection = await shard.connect()
    const raw = await figures(connection, 'payments')
    const kept = await figures(connection, 'per_month')
    const more = at === 0 ? written : 0
    expect(raw?.months).toBeLessThanOrEqual(13)
    expect(kept).toEqual({ months: 16, total: `${160 + more}` })
    expect(Number(raw?.total)).toBe(10 * (raw?.months ?? 0) + more)
  }
}, 120_000)
