import { createShardRouter } from '@shardwright/shard-router'
import {
  type OpenTelemetryMeter,
  type OpenTelemetryTracer,
  openTelemetry,
} from '@shardwright/shard-router/opentelemetry'
import { prometheus } from '@shardwright/shard-router/prometheus'
import { alternate } from './support/alternate.ts'
import { BenchCluster, keyOf, schema } from './support/bench-cluster.ts'
import type { Bench } from './support/bench-result.ts'
import { throughput } from './support/throughput.ts'

const roundMs = 700

/** Point reads with telemetry on against the same without: what the adapters cost, not what an SDK behind them does. */
export const bench: Bench = {
  name: 'telemetry',
  async run() {
    await using cluster = await BenchCluster.start()
    const adapters = {
      prometheus: prometheus({ registry: { registerMetric() {} } }),
      opentelemetry: openTelemetry({ meter: silentMeter, tracer: silentTracer }),
    }
    const results = []
    for (const [name, telemetry] of Object.entries(adapters)) {
      await using watched = createShardRouter({ schema, topology: cluster.topology, telemetry })
      const at = (router: typeof cluster.router) => () =>
        throughput(32, roundMs, async (turn) => {
          const { festival, wallet } = keyOf(turn)
          await router.db
            .selectFrom('wallets')
            .selectAll()
            .where('festival_id', '=', festival)
            .where('id', '=', wallet)
            .execute()
        })
      const { ratio, samples } = await alternate({ ours: at(watched), theirs: at(cluster.router), rounds: 9 })
      results.push({
        name: `telemetry-${name}`,
        value: ratio,
        unit: 'x',
        against: 'point reads without telemetry, concurrency 32',
        samples,
      })
    }
    return results
  },
}

const silent = () => {}
const silentMeter: OpenTelemetryMeter = {
  createCounter: () => ({ add: silent }),
  createHistogram: () => ({ record: silent }),
  createGauge: () => ({ record: silent }),
}
const silentTracer: OpenTelemetryTracer = {
  startSpan: () => ({ setAttributes: silent, setStatus: silent, end: silent }),
}
