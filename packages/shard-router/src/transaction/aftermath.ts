/** Work that goes on after its caller was answered. Holds no process open, and ends with the router. */
export class Aftermath {
  readonly #ended = new AbortController()

  /** Runs `work` in the background; nobody hears of its failure. */
  start(work: (signal: AbortSignal) => Promise<void>): void {
    if (!this.#ended.signal.aborted) work(this.#ended.signal).catch(ignore)
  }

  end(): void {
    this.#ended.abort()
  }
}

function ignore(): void {}
