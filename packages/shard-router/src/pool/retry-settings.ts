/** How often and how soon what is safe to send again is sent again. */
export interface RetrySettings {
  /** Tries after the first one. 0: none. */
  readonly maxRetries: number
  readonly initialDelayMs: number
  readonly maxDelayMs: number
}

const retryDefaults: RetrySettings = Object.freeze({ maxRetries: 3, initialDelayMs: 50, maxDelayMs: 2_000 })

/** The settings with what is not given filled in. */
export function retrySettings(
  given: { readonly [K in keyof RetrySettings]?: RetrySettings[K] | undefined } = {},
): RetrySettings {
  const { maxRetries, initialDelayMs, maxDelayMs } = given
  return Object.freeze({
    maxRetries: maxRetries ?? retryDefaults.maxRetries,
    initialDelayMs: initialDelayMs ?? retryDefaults.initialDelayMs,
    maxDelayMs: maxDelayMs ?? retryDefaults.maxDelayMs,
  })
}
