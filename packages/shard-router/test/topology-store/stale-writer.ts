// A process of its own for topology-store.test.ts: holds a lease, moves with each epoch, writes when told to.
import { defineTopology, fleetOf, type Topology } from '@shardwright/core'
import { Client } from 'pg'
import { createShardPool } from '../../src/pool/create-shard-pool.ts'
import { TopologyStore } from '../../src/topology-store/topology-store.ts'

const topology = defineTopology(JSON.parse(process.argv[2]!))
const store = new TopologyStore(fleetOf(topology, Client))
let current = topology
const lease = await store.hold(topology, { leaseMs: 1_500 })
let pool = createShardPool(topology, { gate: lease })
lease.follow(async (next: Topology) => {
  const { pool: swapped, drained } = pool.replaceTopology(next)
  pool = swapped
  current = next
  return { drained }
})

process.on('message', async (bucket: number) => {
  const shard = current.bucketMap[bucket]!
  try {
    const sql = 'update counters set n = n + 1 where bucket = $1'
    const { rowCount } = await pool.execute(shard, { sql, parameters: [bucket], access: 'write', rows: 'objects' })
    process.send!({ epoch: current.epoch, rowCount })
  } catch (error) {
    process.send!({ epoch: current.epoch, code: (error as { code: string }).code })
  }
})
process.send!({ ready: true })
