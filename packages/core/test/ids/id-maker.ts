// A process that leases a worker number and writes ids, 8 bytes each, to a file. Started by the test.
import { writeFileSync } from 'node:fs'
import { createFleet, fleetWorkerLeases, IdGenerator, idLayout } from '@shardwright/core'
import pg from 'pg'

const { url, file, count } = JSON.parse(process.argv[2]!) as { url: string; file: string; count: number }
const layout = idLayout({ buckets: 1024 })
const fleet = createFleet({ shards: [{ id: 'shard-1', url }], Client: pg.Client })
const lease = await fleetWorkerLeases({ fleet, layout }).acquire()
process.send?.('ready')
await new Promise((resolve) => process.once('message', resolve))

const ids = new IdGenerator({ layout, lease })
const made = new BigUint64Array(count)
const startMs = performance.timeOrigin + performance.now()
for (let i = 0; i < count; i++) made[i] = ids.next((i * 7919) & 1023)
const endMs = performance.timeOrigin + performance.now()
writeFileSync(file, made)
await lease.release()
process.send?.({ worker: lease.worker, startMs, endMs })
process.disconnect?.()
