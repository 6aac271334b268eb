import { poolError } from './pool-error.ts'
import type { Prober } from './prober.ts'
import type { ServerContext } from './server-context.ts'
import type { ServerGuard } from './server-guard.ts'
import type { RunOptions, Statement } from './shard-pool.ts'
import { untilAbandoned } from './until-abandoned.ts'

const question: Statement = Object.freeze({
  sql: 'select 1',
  parameters: Object.freeze([]),
  access: 'read',
  rows: 'facts',
})
const longestMs = 3_000

/**
 * What a server that has failed is asked before it gets work again: what a caller wants of it may take long, and all
 * others would wait for the end of it.
 */
export class ServerTrial {
  readonly #context: ServerContext
  readonly #guard: ServerGuard
  readonly #makeProber: () => Prober
  #prober: Prober | undefined
  #running: Promise<void> | undefined
  #closed = false

  constructor(context: ServerContext, guard: ServerGuard, makeProber: () => Prober) {
    this.#context = context
    this.#guard = guard
    this.#makeProber = makeProber
  }

  /**
   * Resolves when the server has answered; those who come meanwhile share the answer, and none waits past its deadline.
   * @throws ConnectionError CIRCUIT_OPEN, SHARD_UNREACHABLE, DEADLINE_EXCEEDED, POOL_CLOSED
   */
  async pass(options: RunOptions | undefined): Promise<void> {
    if (this.#closed) throw this.#closedError()
    this.#running ??= this.#guard
      .run(() => this.#ask())
      .finally(() => {
        this.#running = undefined
      })
    await (options === undefined ? this.#running : untilAbandoned(this.#context, this.#running, options))
  }

  close(): void {
    this.#closed = true
    this.#prober?.close()
  }

  async #ask(): Promise<void> {
    const { clock, connectTimeoutMs } = this.#context
    const prober = this.#makeProber()
    this.#prober = prober
    try {
      await prober.run(question, { deadline: clock.monotonicMs() + Math.min(connectTimeoutMs, longestMs) })
    } finally {
      prober.close()
    }
  }

  #closedError(): Error {
    const { label } = this.#context.address
    return poolError('POOL_CLOSED', `The pool of ${label} is closed.`, { server: label })
  }
}
