/** Time as a port, so that tests hold it still. Timestamps in milliseconds since 1970 (UTC). */
export interface Clock {
  /** Wall clock, milliseconds. */
  now(): number
  /** Never goes back, milliseconds with fractions. */
  monotonicMs(): number
  /** Resolves after `delayMs`; rejects with the signal's reason when aborted. Holds no process open when `unref`. */
  sleep(delayMs: number, options?: { readonly signal?: AbortSignal; readonly unref?: boolean }): Promise<void>
}
