// Keys move from shard to shard while two processes count them up; one of them sleeps past its lease now and then.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { defineTopology, locate, type Topology, topologyInputOf } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { recoverTransactions, TopologyStore } from '@shardwright/shard-router'
import { afterAll, beforeAll, expect, it } from 'vitest'

interface Report {
  readonly acknowledged: readonly number[]
  readonly unknown: readonly number[]
  readonly refusals: Readonly<Record<string, number>>
  readonly epochs: number
}

const keys = 12
const moves = 5
let cluster: LocalCluster

beforeAll(async () => {
  cluster = await startLocalCluster({ shards: 2, settings: { max_prepared_transactions: 50 } })
})
afterAll(() => cluster.stop())

it('loses no write, and doubles none', { timeout: 180_000 }, async () => {
  const seed = Number(process.env.SHARDWRIGHT_SEED ?? Math.floor(Math.random() * 1_000_000))
  console.log(`moves under load: SHARDWRIGHT_SEED=${seed}`)
  const fleet = cluster.fleet('moving')
  const store = new TopologyStore(fleet)
  let topology = defineTopology({ id: 'moving', hash: 'postgres', epoch: 1, ...cluster.topologyInput() })
  const shardOf = (map: Topology, key: number) =>
    map.shards[locate(map, { family: 'user_id', type: 'int4', value: key }).shard]!.id
  const onShard = async <R>(id: string, text: string, values: unknown[] = []) => {
    await using connection = await fleet.shards.find((shard) => shard.id === id)!.connect()
    return (await connection.query<R>(text, values)).rows
  }
  for (const { id } of fleet.shards) {
    await onShard(id, 'create table counters (user_id int primary key, n int not null)')
  }
  for (let key = 0; key < keys; key++)
    await onShard(shardOf(topology, key), 'insert into counters values ($1, 0)', [key])
  await store.install()
  await store.publish(topology)
  const children = [seed, seed + 1].map((own) => startWriter(topology, own))
  try {
    await Promise.all(children.map((child) => once(child, 'message')))
    for (let move = 0; move < moves; move++) {
      const key = (seed + move * 7) % keys
      const from = shardOf(topology, key)
      const to = from === 'shard-1' ? 'shard-2' : 'shard-1'
      const sleeper = move % 3 === 1 ? children[move % 2] : undefined
      sleeper?.kill('SIGSTOP')
      // Longer than its lease; what it has begun waits on the servers meanwhile.
      const awake = sleeper && sleep(1_500).then(() => sleeper.kill('SIGCONT'))
      const pins = [
        ...topology.pins.filter((pin) => pin.key !== String(key)),
        { family: 'user_id', key: String(key), shard: to },
      ]
      topology = defineTopology({ ...topologyInputOf(topology), epoch: topology.epoch + 1, pins })
      await store.publish(topology)
      await waitUntilUnused(store, fleet, topology.epoch)
      // Nobody writes by the old map any more.
      const [row] = await onShard<{ n: number }>(from, 'delete from counters where user_id = $1 returning n', [key])
      await onShard(to, 'insert into counters values ($1, $2)', [key, row!.n])
      await awake
      await sleep(150)
    }
    const reports = await Promise.all(children.map(stopWriter))
    await recoverTransactions(fleet, { graceMs: 0 })
    let sum = 0
    for (let key = 0; key < keys; key++) {
      const [row] = await onShard<{ n: number }>(shardOf(topology, key), 'select n from counters where user_id = $1', [
        key,
      ])
      const acknowledged = reports.reduce((total, report) => total + report.acknowledged[key]!, 0)
      const unknown = reports.reduce((total, report) => total + report.unknown[key]!, 0)
      expect(row!.n, `key ${key}`).toBeGreaterThanOrEqual(acknowledged)
      expect(row!.n, `key ${key}`).toBeLessThanOrEqual(acknowledged + unknown)
      sum += acknowledged
    }
    console.log(JSON.stringify(reports.map(({ refusals, epochs }) => ({ refusals, epochs }))), sum)
    expect(sum).toBeGreaterThan(keys * moves)
    expect(reports.map(({ epochs }) => epochs)).toEqual([moves + 1, moves + 1])
    for (const { refusals } of reports) {
      const strange = Object.keys(refusals).filter(
        (code) => !/^(TOPOLOGY_STALE|DEADLOCK_ACROSS_SHARDS|LOCK_TIMEOUT_ACROSS_SHARDS|40001|40P01)$/.test(code),
      )
      expect(strange).toEqual([])
    }
  } finally {
    for (const child of children) child.kill('SIGKILL')
  }
})

/** What a process that slept has prepared stays prepared until somebody recovers it. */
async function waitUntilUnused(store: TopologyStore, fleet: Parameters<typeof recoverTransactions>[0], epoch: number) {
  const stop = new AbortController()
  const recovering = (async () => {
    while (!stop.signal.aborted) {
      await recoverTransactions(fleet, { graceMs: 1_000 })
      await sleep(500, undefined, { signal: stop.signal }).catch(() => {})
    }
  })()
  try {
    await store.waitUntilUnused(epoch, { timeoutMs: 60_000 })
  } finally {
    stop.abort()
    await recovering
  }
}

function startWriter(topology: Topology, seed: number): ChildProcess {
  const file = fileURLToPath(new URL('./moving-writer.ts', import.meta.url))
  const values = [JSON.stringify(topologyInputOf(topology)), String(seed), String(keys)]
  return fork(file, values, {
    execArgv: ['--conditions=shardwright-source'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
}

async function stopWriter(child: ChildProcess): Promise<Report> {
  const report = once(child, 'message')
  child.send('stop')
  return ((await report) as [Report])[0]
}
