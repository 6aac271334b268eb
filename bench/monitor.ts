import { inspectKeysOfFleet } from '@shardwright/core'
import {
  bucketSizes,
  callerTelemetry,
  createMonitor,
  defaultCollectors,
  hotKeys,
  logAlerts,
} from '@shardwright/monitor'
import { createShardRouter } from '@shardwright/shard-router'
import { prometheus } from '@shardwright/shard-router/prometheus'
import { alternate } from './support/alternate.ts'
import { BenchCluster, keyOf, schema } from './support/bench-cluster.ts'
import type { Bench } from './support/bench-result.ts'
import { throughput } from './support/throughput.ts'

const roundMs = 5_000
const concurrency = 32

/**
 * Point reads, the cheapest statements there are, with everything that watches them on and off: latencies, Prometheus series,
 * hot keys, and a monitor that measures every server in every round, three times as often as it does by itself.
 */
export const bench: Bench = {
  name: 'monitor',
  async run() {
    await using cluster = await BenchCluster.start()
    const { topology } = cluster
    const metrics: { get(): Promise<unknown> }[] = []
    const telemetry = callerTelemetry({
      next: prometheus({ registry: { registerMetric: (one) => void metrics.push(one) } }),
    })
    const keys = hotKeys()
    await using watched = createShardRouter({ schema, topology, telemetry, keyObserver: keys })
    await watched.ready()
    const { fleet } = watched
    const keyTypes = await inspectKeysOfFleet(fleet, schema)
    const monitor = createMonitor({
      fleet,
      telemetry,
      sources: [telemetry, keys],
      alerts: [logAlerts(telemetry)],
      collectors: [...defaultCollectors, bucketSizes({ topology, schema, keys: keyTypes })],
      everyMs: roundMs,
    })
    const read = (db: typeof watched.db) => async (turn: number) => {
      const { festival, wallet } = keyOf(turn)
      await db.selectFrom('wallets').selectAll().where('festival_id', '=', festival).where('id', '=', wallet).execute()
    }
    const { ratio, samples } = await alternate({
      rounds: 5,
      ours: async () => {
        monitor.start()
        const scraping = setInterval(() => void Promise.all(metrics.map((metric) => metric.get())), 1_000)
        try {
          return await throughput(concurrency, roundMs, read(watched.db))
        } finally {
          clearInterval(scraping)
          await monitor.stop()
        }
      },
      theirs: () => throughput(concurrency, roundMs, read(cluster.router.db)),
    })
    const rounds = monitor.history.points().length
    if (rounds < samples) throw new Error(`the monitor looked only ${rounds} times`)
    return { name: 'monitor', value: ratio, unit: 'x', against: 'the same reads unwatched: at least 0.95', samples }
  },
}
