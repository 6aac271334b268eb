import type { Telemetry, TelemetryAttributes, TelemetryScope, TelemetrySpan } from '@shardwright/core'
import { errorCodeOf } from './pool/error-code.ts'

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

/** A span as far as it is used. */
export interface OpenTelemetrySpan {
  setAttributes(attributes: TelemetryAttributes): unknown
  setStatus(status: { code: number; message?: string }): unknown
  end(): void
}

/** The part of `@opentelemetry/api` itself that is used. */
export interface OpenTelemetryApi<Context> {
  readonly context: { active(): Context; with<T>(context: Context, work: () => T): T }
  readonly trace: { setSpan(context: Context, span: OpenTelemetrySpan): Context }
}

/** Where metrics and spans go: either may be left out. */
export interface OpenTelemetryOptions<Context = unknown> {
  /** `metrics.getMeter('shardwright')` */
  readonly meter?: OpenTelemetryMeter | undefined
  /** `trace.getTracer('shardwright')` */
  readonly tracer?: OpenTelemetryTracer | undefined
  /**
   * `@opentelemetry/api`: the statements of a transaction, and the parts of a statement on several shards, are children of
   * one span then. Without it they are children of the caller's own span.
   */
  readonly api?: OpenTelemetryApi<Context> | undefined
  readonly log?: Telemetry['log'] | undefined
}

// SpanKind.INTERNAL and CLIENT, and SpanStatusCode.ERROR, of @opentelemetry/api.
const internalKind = 0
const clientKind = 2
const errorStatus = 2

const droppedSpan: TelemetrySpan = Object.freeze({ end() {} })

/**
 * Shardwright's telemetry on OpenTelemetry; span attributes follow the database conventions, the shard is
 * `shardwright.shard`. Values are never among them, neither parameters nor what is written into the text.
 * @example
 * import * as api from '@opentelemetry/api'
 * const telemetry = openTelemetry({ api, meter: api.metrics.getMeter('app'), tracer: api.trace.getTracer('app') })
 * createShardRouter({ schema, topology, telemetry })
 */
export function openTelemetry<Context>({ meter, tracer, api, log }: OpenTelemetryOptions<Context>): Telemetry {
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
    ...(api && tracer ? { scope: (name, attributes) => startScope(api, tracer, name, attributes) } : {}),
    log: (level, message, attributes) => log?.(level, message, attributes),
  } satisfies Telemetry)
}

function startScope<Context>(
  { context, trace }: OpenTelemetryApi<Context>,
  tracer: OpenTelemetryTracer,
  name: string,
  attributes: TelemetryAttributes = {},
): TelemetryScope {
  const span = tracer.startSpan(name, { kind: internalKind, attributes })
  return {
    run: (work) => context.with(trace.setSpan(context.active(), span), work),
    end: wrapSpan(span).end,
  }
}

function wrapSpan(span: OpenTelemetrySpan): TelemetrySpan {
  return {
    end(outcome) {
      if (outcome?.attributes !== undefined) span.setAttributes(outcome.attributes)
      if (outcome?.error !== undefined) {
        const code = errorCodeOf(outcome.error)
        span.setAttributes({ 'error.type': code })
        // The message may quote a value ("Key (email)=(...) already exists"); the code says enough.
        span.setStatus({ code: errorStatus, message: code })
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
