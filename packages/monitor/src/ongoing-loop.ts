/** Work that goes on until it is stopped; one at a time. */
export class OngoingLoop {
  readonly #run: (signal: AbortSignal) => Promise<void>
  #running: { readonly stop: AbortController; readonly done: Promise<void> } | undefined

  /** `run` ends when its signal is aborted, and does not fail. */
  constructor(run: (signal: AbortSignal) => Promise<void>) {
    this.#run = run
  }

  /** Does nothing when it is running. */
  start(): void {
    if (this.#running) return
    const stop = new AbortController()
    this.#running = { stop, done: this.#run(stop.signal) }
  }

  /** Resolves when the work has ended. */
  async stop(): Promise<void> {
    const running = this.#running
    this.#running = undefined
    running?.stop.abort()
    await running?.done
  }
}
