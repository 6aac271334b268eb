/** How often and how soon what is safe to send again is sent again. */
export interface RetrySettings {
  /** Tries after the first one. 0: none. */
  readonly maxRetries: number
  readonly initialDelayMs: number
  readonly maxDelayMs: number
}

export const retryDefaults: RetrySettings = Object.freeze({ maxRetries: 3, initialDelayMs: 50, maxDelayMs: 2_000 })
