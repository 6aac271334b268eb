// A program for the tests: owns a cluster, says what it has, and then ends in the way its first argument names.
import { startLocalCluster } from '../../src/index.ts'
import { processTree } from '../../src/process/process-tree.ts'

const [, , ending, redis] = process.argv
const cluster = await startLocalCluster({ shards: 2, replicasPerShard: 1, redis: redis === 'redis' })
if (ending === 'killed-paused') await cluster.shard('shard-1').pause()
const pids = processTree(process.pid).filter((pid) => pid !== process.pid)
process.stdout.write(`${JSON.stringify({ pids, redis: cluster.redis !== undefined })}\n`)

switch (ending) {
  case 'stopped':
    await cluster.stop()
    break
  case 'returned':
    break // the servers must not keep the process alive
  case 'exited':
    process.exit(3)
    break
  case 'thrown':
    setImmediate(() => {
      throw new Error('an exception that nobody catches')
    })
    break
  default:
    setInterval(() => {}, 1000) // waits for a signal
}
