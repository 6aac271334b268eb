import { noTelemetry, type Telemetry, type TelemetryScope, type TelemetrySpan } from './telemetry.ts'

/**
 * One telemetry that tells several: metrics to Prometheus, spans to OpenTelemetry, both to a monitor.
 * @example
 * const telemetry = combineTelemetry(prometheus({ registry }), openTelemetry({ api, tracer }))
 * createShardRouter({ schema, topology, telemetry })
 */
export function combineTelemetry(...given: readonly Telemetry[]): Telemetry {
  const all = given.filter((telemetry) => telemetry !== noTelemetry)
  const [only] = all
  if (only === undefined || all.length === 1) return only ?? noTelemetry
  const keepTrees = all.filter((telemetry) => telemetry.scope !== undefined)
  const each = (tell: (telemetry: Telemetry) => void) => {
    for (const telemetry of all) tell(telemetry)
  }
  return Object.freeze({
    count: (name, value, attributes) => each((telemetry) => telemetry.count(name, value, attributes)),
    record: (name, value, attributes) => each((telemetry) => telemetry.record(name, value, attributes)),
    gauge: (name, value, attributes) => each((telemetry) => telemetry.gauge(name, value, attributes)),
    span: (name, attributes) => allOf(all.map((telemetry) => telemetry.span(name, attributes))),
    ...(keepTrees.length > 0 && {
      scope: (name, attributes) => {
        // Who keeps no tree of spans has an ordinary one.
        const plain = all.filter((telemetry) => telemetry.scope === undefined)
        const scopes = keepTrees.flatMap((telemetry) => telemetry.scope?.(name, attributes) ?? [])
        return within(scopes, allOf([...scopes, ...plain.map((telemetry) => telemetry.span(name, attributes))]))
      },
    }),
    log: (level, message, attributes) => each((telemetry) => telemetry.log(level, message, attributes)),
  } satisfies Telemetry)
}

function allOf(spans: readonly TelemetrySpan[]): TelemetrySpan {
  return {
    end(outcome) {
      for (const span of spans) span.end(outcome)
    },
  }
}

function within(scopes: readonly TelemetryScope[], span: TelemetrySpan): TelemetryScope {
  return {
    run: (work) => scopes.reduceRight((inner, scope) => () => scope.run(inner), work)(),
    end: span.end,
  }
}
