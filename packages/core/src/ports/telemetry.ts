/** Attributes of a measurement. Low cardinality; never a parameter value. */
export type TelemetryAttributes = Readonly<Record<string, string | number | boolean>>

/**
 * Where measurements go. `noTelemetry` drops them; adapters to OpenTelemetry and Prometheus implement it.
 * Names follow OpenTelemetry's form (`shardwright.router.statements`), durations are in milliseconds.
 */
export interface Telemetry {
  /** Adds to a counter. */
  count(name: string, value: number, attributes?: TelemetryAttributes): void
  /** Adds one value to a histogram. */
  record(name: string, value: number, attributes?: TelemetryAttributes): void
  /** Sets a gauge. */
  gauge(name: string, value: number, attributes?: TelemetryAttributes): void
  /** Starts a span; end it once. */
  span(name: string, attributes?: TelemetryAttributes): TelemetrySpan
  /** Starts a span that is the parent of those that start within its `run`; end it once. Absent where nobody keeps a tree. */
  readonly scope?: ((name: string, attributes?: TelemetryAttributes) => TelemetryScope) | undefined
  /** A line for people: what happened and on which shard. */
  log(level: 'debug' | 'info' | 'warn' | 'error', message: string, attributes?: TelemetryAttributes): void
}

export interface TelemetrySpan {
  end(outcome?: { readonly error?: unknown; readonly attributes?: TelemetryAttributes }): void
}

/** A span with others inside: a transaction, a statement over several shards. */
export interface TelemetryScope extends TelemetrySpan {
  run<T>(work: () => T): T
}

const droppedSpan: TelemetrySpan = Object.freeze({ end() {} })

/** Drops everything. */
export const noTelemetry: Telemetry = Object.freeze({
  count() {},
  record() {},
  gauge() {},
  span: () => droppedSpan,
  log() {},
})
