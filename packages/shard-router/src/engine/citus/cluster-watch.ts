import type { Clock, Telemetry } from '@shardwright/core'

/** Looks again and again until it is stopped; sooner when something is suspected. Holds no process open. */
export class ClusterWatch {
  readonly #look: () => Promise<void>
  readonly #intervalMs: number
  readonly #clock: Clock
  readonly #telemetry: Telemetry
  readonly #stopped = new AbortController()
  #waiting = new AbortController()
  #running: Promise<void> | undefined

  constructor(look: () => Promise<void>, intervalMs: number, clock: Clock, telemetry: Telemetry) {
    this.#look = look
    this.#intervalMs = intervalMs
    this.#clock = clock
    this.#telemetry = telemetry
  }

  start(): void {
    this.#running ??= this.#loop()
  }

  /** Looks now. */
  suspect(): void {
    this.#waiting.abort()
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#running
  }

  async #loop(): Promise<void> {
    const { signal } = this.#stopped
    while (!signal.aborted) {
      // However often it is suspected, not more often than this.
      await this.#pause(Math.min(this.#intervalMs, pauseMs), signal)
      await this.#pause(this.#intervalMs - pauseMs, AbortSignal.any([signal, this.#waiting.signal]))
      this.#waiting = new AbortController()
      if (!signal.aborted) await this.#lookOnce()
    }
  }

  async #lookOnce(): Promise<void> {
    try {
      await this.#look()
    } catch (error) {
      if (this.#stopped.signal.aborted) return
      this.#telemetry.count('shardwright.citus.refresh_failures', 1)
      this.#telemetry.log(
        'warn',
        `The metadata of Citus was not read: ${error instanceof Error ? error.message : error}`,
      )
    }
  }

  async #pause(delayMs: number, signal: AbortSignal): Promise<void> {
    if (delayMs > 0) await this.#clock.sleep(delayMs, { signal, unref: true }).catch(ignore)
  }
}

const pauseMs = 50

function ignore(): void {}
