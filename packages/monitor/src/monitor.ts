import type { AlertPort } from './alert/alert-port.ts'
import { type CollectFailure, collectFailure, collectShard } from './collect/collect-shard.ts'
import { type Sample, subjectOf } from './collect/sample.ts'
import { ShardMemory } from './collect/shard-memory.ts'
import { RoundHistory } from './history/round-history.ts'
import { type MonitorOptions, type ResolvedMonitorOptions, resolveMonitorOptions } from './monitor-options.ts'
import { OngoingLoop } from './ongoing-loop.ts'
import type { Alert } from './threshold/alert.ts'
import { ThresholdWatch } from './threshold/threshold-watch.ts'

/** What one round over all shards gave. */
export interface MonitorRound {
  /** Wall clock, milliseconds. */
  readonly atMs: number
  readonly samples: readonly Sample[]
  readonly failures: readonly CollectFailure[]
  readonly alerts: readonly Alert[]
}

/** Measures every shard of a fleet, exports the values and tells alerts. Made by `createMonitor`. */
export class Monitor implements AsyncDisposable {
  readonly watch: ThresholdWatch
  /** The rounds of the last hours, as scaling rules read them. */
  readonly history: RoundHistory
  readonly #options: ResolvedMonitorOptions
  readonly #memories = new Map<string, ShardMemory>()
  /** What was exported last, to export its absence. */
  #exported = new Map<string, Sample>()
  readonly #loop = new OngoingLoop((signal) => this.#run(signal))
  /** The processes' own series have these already, exactly. */
  readonly #fromTelemetry: ReadonlySet<string>
  #round: Promise<MonitorRound> | undefined

  constructor(options: ResolvedMonitorOptions) {
    this.#options = options
    const { metrics } = options
    this.#fromTelemetry = new Set(metrics.filter(({ source }) => source === 'telemetry').map(({ name }) => name))
    this.history = new RoundHistory(options.keptRounds)
    this.watch = new ThresholdWatch({ metrics: options.metrics, staleMs: options.staleMs })
  }

  /** Measures all shards at once. A round under way is joined, so that counters are not read twice at a time. */
  collect(signal?: AbortSignal): Promise<MonitorRound> {
    this.#round ??= this.#collect(signal).finally(() => {
      this.#round = undefined
    })
    return this.#round
  }

  /** Measures again and again until `stop`. Holds no process open between rounds. */
  start(): void {
    this.#loop.start()
  }

  /** Ends after the round under way was given up. */
  async stop(): Promise<void> {
    await this.#loop.stop()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, everyMs, telemetry } = this.#options
    while (!signal.aborted) {
      try {
        await this.collect(signal)
      } catch (error) {
        if (!signal.aborted) quietly(() => telemetry.log('error', `The monitor's round failed: ${String(error)}`))
      }
      await clock.sleep(everyMs, { signal, unref: true }).catch(() => {}) // stopped: the loop sees it
    }
  }

  async #collect(signal: AbortSignal | undefined): Promise<MonitorRound> {
    const { fleet, collectors, budgetMs, clock, telemetry, alerts } = this.#options
    const nowMs = clock.monotonicMs()
    const rounds = await Promise.all(
      fleet.shards.map((shard) =>
        collectShard(shard, { collectors, memory: this.#memoryOf(shard.id), nowMs, clock, budgetMs, signal }),
      ),
    )
    const own = this.#readSources()
    const samples = [...rounds.flatMap((round) => round.samples), ...own.samples]
    const failures = [...rounds.flatMap((round) => round.failures), ...own.failures]
    quietly(() => {
      for (const { error, shard, collector } of failures) telemetry.log('warn', error.message, { shard, collector })
    })
    // Alerts go out also where nothing can be exported.
    quietly(() => this.#export(samples))
    const atMs = clock.now()
    this.history.add(atMs, samples)
    const changes = this.watch.observe(
      samples.map((sample) => ({ metric: sample.metric, subject: subjectOf(sample), value: sample.value })),
      nowMs,
    )
    await Promise.all(alerts.map((port) => this.#tell(port, changes)))
    return Object.freeze({ atMs, samples, failures, alerts: changes })
  }

  /** A source is a caller's code: one that throws is a measurement that failed. */
  #readSources(): Pick<MonitorRound, 'samples' | 'failures'> {
    const samples: Sample[] = []
    const failures: CollectFailure[] = []
    for (const source of this.#options.sources) {
      try {
        samples.push(...source.read())
      } catch (cause) {
        failures.push(collectFailure('', source.name, cause))
      }
    }
    return { samples, failures }
  }

  /** One after the other. A port that does not come back is left behind: it must not hold up what is measured, nor other ports. */
  async #tell(port: AlertPort, changes: readonly Alert[]): Promise<void> {
    const { clock, budgetMs } = this.#options
    const done = new AbortController()
    const late = clock.sleep(budgetMs, { signal: done.signal }).then(
      () => true,
      () => false,
    )
    for (const alert of changes) {
      const told = this.#tellOne(port, alert).then(() => false)
      if (!(await Promise.race([told, late]))) continue
      this.#undelivered(alert, `the port did not answer within ${budgetMs} ms`)
      break
    }
    done.abort()
  }

  async #tellOne(port: AlertPort, alert: Alert): Promise<void> {
    try {
      await port.tell(alert)
    } catch (error) {
      this.#undelivered(alert, error instanceof Error ? error.message : String(error))
    }
  }

  #undelivered({ metric }: Alert, reason: string): void {
    quietly(() => this.#options.telemetry.log('error', `An alert was not delivered: ${reason}`, { metric }))
  }

  /** A value that is missing now is exported as NaN: the last one would look as if it were measured. */
  #export(samples: readonly Sample[]): void {
    const { telemetry } = this.#options
    const exported = new Map<string, Sample>()
    for (const sample of samples) {
      const key = JSON.stringify([sample.metric, sample.labels])
      if (sample.value === undefined || this.#fromTelemetry.has(sample.metric)) continue
      // The labels of the first time are kept: adapters find a series by the identity of its attributes.
      const labels = this.#exported.get(key)?.labels ?? sample.labels
      exported.set(key, { ...sample, labels })
      telemetry.gauge(`shardwright.monitor.${sample.metric}`, sample.value, labels)
    }
    for (const [key, { metric, labels }] of this.#exported) {
      if (!exported.has(key)) telemetry.gauge(`shardwright.monitor.${metric}`, Number.NaN, labels)
    }
    this.#exported = exported
  }

  #memoryOf(shard: string): ShardMemory {
    const memory = this.#memories.get(shard) ?? new ShardMemory()
    this.#memories.set(shard, memory)
    return memory
  }
}

/** A telemetry is a caller's code: one that throws must not end what is measured. */
function quietly(tell: () => void): void {
  try {
    tell()
  } catch {
    // There is nobody else to tell.
  }
}

/**
 * A monitor of a fleet.
 * @throws MonitorError MONITOR_INVALID_OPTIONS
 * @example
 * await using monitor = createMonitor({ fleet: router.fleet, telemetry, alerts: [logAlerts(telemetry)] })
 * monitor.start()
 */
export function createMonitor(options: MonitorOptions): Monitor {
  return new Monitor(resolveMonitorOptions(options))
}
