export type { RateLimiterOptions } from './rate-limit-options.ts'
export { createRateLimiter, type RateLimiter, type RateLimitOutcome } from './rate-limiter.ts'
