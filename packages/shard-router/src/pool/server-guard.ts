import {
  BrokenCircuitError,
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  handleAll,
} from 'cockatiel'
import { poolError } from './pool-error.ts'
import { isFull, isUnreachable, wasEnded } from './safe-again.ts'
import type { ServerContext } from './server-context.ts'

/** When a server that fails is left alone. */
export interface BreakerSettings {
  /** Lost or refused connections in a row that open the circuit. */
  readonly maxFails: number
  /** How long it stays open at first; grows up to ten times that. */
  readonly failTimeoutMs: number
}

/**
 * Watches whether a server can be reached. cockatiel's breaker decides; the statements of a healthy server do not pass
 * through it one by one, which would cost more than it tells.
 */
export class ServerGuard {
  readonly #breaker: CircuitBreakerPolicy
  readonly #context: ServerContext
  #suspicious = false

  constructor(context: ServerContext, settings: BreakerSettings) {
    this.#context = context
    this.#breaker = circuitBreaker(handleAll, {
      breaker: new ConsecutiveBreaker(settings.maxFails),
      halfOpenAfter: new ExponentialBackoff({
        initialDelay: settings.failTimeoutMs,
        maxDelay: settings.failTimeoutMs * 10,
      }),
    })
    this.#breaker.onStateChange((state) => {
      const attributes = { shard: context.shard, server: context.address.label, state: CircuitState[state] }
      context.telemetry.log('warn', `circuit of ${context.address.label}: ${CircuitState[state]}`, attributes)
      context.telemetry.count('shardwright.pool.circuit_changes', 1, attributes)
    })
  }

  get closed(): boolean {
    return this.#breaker.state === CircuitState.Closed
  }

  /** Tells of the outcome of work that did not pass through `run`. */
  failed(error: unknown): void {
    // Who says goodbye lives. Should it have been its last word, the next connect tells.
    if (!isUnreachable(error) || wasEnded(error) || isFull(error)) return
    this.#suspicious = true
    this.#breaker.execute(() => Promise.reject(error)).catch(ignore)
  }

  /** Cheap while nothing is wrong. */
  succeeded(): void {
    if (!this.#suspicious) return
    this.#suspicious = false
    this.#breaker.execute(ignore).catch(ignore)
  }

  /**
   * Work for a server whose circuit is not closed: refused at once while open, one trial at a time when half open.
   * @throws ConnectionError CIRCUIT_OPEN
   */
  async run<T>(work: () => Promise<T>): Promise<T> {
    try {
      const settled = await this.#breaker.execute(async () => {
        const [outcome] = await Promise.allSettled([work()])
        if (outcome.status === 'rejected' && isUnreachable(outcome.reason) && !isFull(outcome.reason))
          throw outcome.reason
        return outcome
      })
      if (settled.status === 'rejected') throw settled.reason
      return settled.value
    } catch (error) {
      if (!(error instanceof BrokenCircuitError)) throw error
      const { address, shard } = this.#context
      const message = `${address.label} (shard ${shard}) failed repeatedly and is left alone for a moment.`
      throw poolError('CIRCUIT_OPEN', message, { shard, server: address.label, details: { sent: false } })
    }
  }
}

function ignore(): void {}
