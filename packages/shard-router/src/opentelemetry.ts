import type { Telemetry, TelemetryAttributes, TelemetrySpan } from '@shardwright/core'

/** The part of `@opentelemetry/api`'s Meter that is used. */
export interface OpenTelemetryMeter {
  createCounter(name: string): { add(value: number, attributes?: TelemetryAttributes): void }
  createHistogram(
    name: string,
    options?: { unit?: string },
  ): { record(value: number, attributes?: TelemetryAttributes): void }
  createGauge(name: string): { record(value: number, attributes?: TelemetryAttributes): void }
}

/** The part of a Tracer that is used. */
export interface OpenTelemetryTracer {
  startSpan(name: string, options?: { kind?: number; attributes?: TelemetryAttributes }): OpenTelemetrySpan
}

export interface OpenTelemetrySpan {
  setAttributes(attributes: TelemetryAttributes): unknown
  setStatus(status: { code: number; message?: string }): unknown
  end(): void
}

export interface OpenTelemetryOptions {
  /** `metrics.getMeter('shardwright')` */
  readonly meter?: OpenTelemetryMeter | undefined
  /** `trace.getTracer('shardwright')` */
  readonly tracer?: OpenTelemetryTracer | undefined
  readonly log?: Telemetry['log'] | undefined
}

// SpanKind.CLIENT and SpanStatusCode.ERROR of @opentelemetry/api.
const clientKind = 2
const errorStatus = 2

const droppedSpan: TelemetrySpan = Object.freeze({ end() {} })

/**
 * Shardwright's telemetry on OpenTelemetry; span attributes follow the database conventions, the shard is
 * `shardwright.shard`. Parameter values are never among them.
 * @example
 * createShardRouter({ schema, topology, telemetry: openTelemetry({ meter: metrics.getMeter('app'), tracer: trace.getTracer('app') }) })
 */
export function openTelemetry({ meter, tracer, log }: OpenTelemetryOptions): Telemetry {
  const counter = remember((name) => meter?.createCounter(name))
  const histogram = remember((name) => meter?.createHistogram(name, name.endsWith('_ms') ? { unit: 'ms' } : {}))
  const gauge = remember((name) => meter?.createGauge(name))
  return Object.freeze({
    count: (name, value, attributes) => counter(name)?.add(value, attributes),
    record: (name, value, attributes) => histogram(name)?.record(value, attributes),
    gauge: (name, value, attributes) => gauge(name)?.record(value, attributes),
    span: (name, attributes) => {
      if (tracer === undefined) return droppedSpan
      const options = attributes === undefined ? { kind: clientKind } : { kind: clientKind, attributes }
      return wrapSpan(tracer.startSpan(name, options))
    },
    log: (level, message, attributes) => log?.(level, message, attributes),
  } satisfies Telemetry)
}

function wrapSpan(span: OpenTelemetrySpan): TelemetrySpan {
  return {
    end(outcome) {
      if (outcome?.attributes !== undefined) span.setAttributes(outcome.attributes)
      if (outcome?.error !== undefined) {
        const { name, code } = outcome.error as { name?: string; code?: string }
        span.setAttributes({ 'error.type': code ?? name ?? 'unknown' })
        // The message may quote a value ("Key (email)=(...) already exists"); the code says enough.
        span.setStatus({ code: errorStatus, message: code ?? name ?? 'error' })
      }
      span.end()
    },
  }
}

function remember<T>(make: (name: string) => T): (name: string) => T {
  const made = new Map<string, T>()
  return (name) => {
    const known = made.get(name)
    if (known !== undefined || made.has(name)) return known as T
    const fresh = make(name)
    made.set(name, fresh)
    return fresh
  }
}
