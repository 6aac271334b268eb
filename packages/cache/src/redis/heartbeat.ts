import type { Clock } from '@shardwright/core'

/** Messages to oneself through Redis: one that returns proves that everything published before it has arrived. */
export class Heartbeat {
  readonly #clock: Clock
  readonly #send: (text: string) => Promise<unknown>
  readonly #sent = new Map<string, { readonly at: number; readonly arrived: (sentAt: number) => void }>()
  #sequence = 0

  constructor(clock: Clock, send: (text: string) => Promise<unknown>) {
    this.#clock = clock
    this.#send = send
  }

  /** Resolves with the monotonic time at which it was sent, or `undefined` when it did not return in time. */
  async roundTrip(waitMs: number): Promise<number | undefined> {
    const id = `${++this.#sequence}`
    const stop = new AbortController()
    const arrived = new Promise<number>((resolve) => {
      this.#sent.set(id, { at: this.#clock.monotonicMs(), arrived: resolve })
    })
    const failed = this.#send(`h${id}`).then(
      () => arrived,
      () => undefined,
    )
    const late = this.#clock.sleep(waitMs, { signal: stop.signal, unref: true }).then(
      () => undefined,
      () => undefined,
    )
    const sentAt = await Promise.race([arrived, failed, late])
    stop.abort()
    this.#sent.delete(id)
    return sentAt
  }

  /** `text` is what followed the `h`. */
  received(id: string): void {
    const beat = this.#sent.get(id)
    beat?.arrived(beat.at)
  }
}
