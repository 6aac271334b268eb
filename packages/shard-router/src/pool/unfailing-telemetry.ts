import {
  noTelemetry,
  type Telemetry,
  type TelemetryAttributes,
  type TelemetryScope,
  type TelemetrySpan,
} from '@shardwright/core'

type Warn = (error: unknown) => void
type Outcome = Parameters<TelemetrySpan['end']>[0]

const wrapped = new WeakMap<Telemetry, Telemetry>()

/**
 * The same telemetry, which fails no statement: it is called where the answers of servers come in. What it throws is told
 * once, as a warning of the process.
 */
export function unfailing(telemetry: Telemetry): Telemetry {
  if (telemetry === noTelemetry || telemetry instanceof UnfailingTelemetry) return telemetry
  const known = wrapped.get(telemetry) ?? Object.freeze(new UnfailingTelemetry(telemetry))
  wrapped.set(telemetry, known)
  return known
}

class UnfailingTelemetry implements Telemetry {
  readonly scope: Telemetry['scope']
  readonly #inner: Telemetry
  readonly #warn: Warn

  constructor(inner: Telemetry) {
    let told = false
    this.#inner = inner
    this.#warn = (error) => {
      if (!told) process.emitWarning(`The telemetry given to Shardwright fails: ${String(error)}`)
      told = true
    }
    this.scope = inner.scope && ((name, attributes) => this.#startScope(name, attributes))
  }

  count(name: string, value: number, attributes?: TelemetryAttributes): void {
    try {
      this.#inner.count(name, value, attributes)
    } catch (error) {
      this.#warn(error)
    }
  }

  record(name: string, value: number, attributes?: TelemetryAttributes): void {
    try {
      this.#inner.record(name, value, attributes)
    } catch (error) {
      this.#warn(error)
    }
  }

  gauge(name: string, value: number, attributes?: TelemetryAttributes): void {
    try {
      this.#inner.gauge(name, value, attributes)
    } catch (error) {
      this.#warn(error)
    }
  }

  span(name: string, attributes?: TelemetryAttributes): TelemetrySpan {
    try {
      return new UnfailingSpan(this.#inner.span(name, attributes), this.#warn)
    } catch (error) {
      this.#warn(error)
      return noTelemetry.span(name)
    }
  }

  log(level: Parameters<Telemetry['log']>[0], message: string, attributes?: TelemetryAttributes): void {
    try {
      this.#inner.log(level, message, attributes)
    } catch (error) {
      this.#warn(error)
    }
  }

  #startScope(name: string, attributes?: TelemetryAttributes): TelemetryScope {
    let scope: TelemetryScope | undefined
    try {
      scope = this.#inner.scope?.(name, attributes)
    } catch (error) {
      this.#warn(error)
    }
    const span = new UnfailingSpan(scope ?? noTelemetry.span(name), this.#warn)
    return { run: (work) => (scope === undefined ? work() : scope.run(work)), end: (outcome) => span.end(outcome) }
  }
}

class UnfailingSpan implements TelemetrySpan {
  readonly #inner: TelemetrySpan
  readonly #warn: Warn

  constructor(inner: TelemetrySpan, warn: Warn) {
    this.#inner = inner
    this.#warn = warn
  }

  end(outcome?: Outcome): void {
    try {
      this.#inner.end(outcome)
    } catch (error) {
      this.#warn(error)
    }
  }
}
