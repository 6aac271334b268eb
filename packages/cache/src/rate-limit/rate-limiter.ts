import { createHash } from 'node:crypto'
import { CacheError } from '../errors/cache-error.ts'
import { guardedCommands } from '../redis/guarded-options.ts'
import { textOf } from '../redis/redis-client.ts'
import type { RedisCommands } from '../redis/redis-commands.ts'
import {
  type RateLimiterOptions,
  type ResolvedRateLimiterOptions,
  resolveRateLimiterOptions,
} from './rate-limit-options.ts'
import { tokenBucketScript } from './token-bucket-script.ts'

/** What `take` says. */
export interface RateLimitOutcome {
  readonly allowed: boolean
  /** Whole tokens left in the bucket; `undefined` when Redis did not say. */
  readonly remaining: number | undefined
  /** Milliseconds until the tokens that were asked for are there; 0 when they were. */
  readonly retryAfterMs: number
  /** `unavailable`: Redis did not answer, and `whenUnavailable` decided. */
  readonly decidedBy: 'bucket' | 'unavailable'
}

const longestKey = 200

/** A token bucket per key, in Redis: one limit for all processes. Made by `createRateLimiter`. */
export class RateLimiter {
  readonly #options: ResolvedRateLimiterOptions
  readonly #commands: RedisCommands
  readonly #tokensPerMs: number

  constructor(options: RateLimiterOptions) {
    this.#options = resolveRateLimiterOptions(options)
    this.#commands = guardedCommands(this.#options)
    this.#tokensPerMs = this.#options.refill.tokens / this.#options.refill.everyMs
  }

  /**
   * Takes tokens from the bucket of a key, all of them or none.
   * @throws CacheError RATE_LIMIT_TOKENS when the bucket can never hold so many
   * @example
   * const { allowed, retryAfterMs } = await limiter.take(userId)
   * if (!allowed) response.setHeader('Retry-After', Math.ceil(retryAfterMs / 1000))
   */
  async take(key: string, tokens = 1): Promise<RateLimitOutcome> {
    this.#check(tokens)
    const outcome = await this.#ask(key, tokens, 'take')
    if (!outcome.allowed && outcome.decidedBy === 'bucket') {
      this.#options.telemetry.count('shardwright.rate_limit.refused', 1, { limit: this.#options.name })
    }
    return outcome
  }

  /** What `take(key)` would say, without taking: `remaining` is what is there now. */
  async peek(key: string): Promise<RateLimitOutcome> {
    return await this.#ask(key, 1, 'look')
  }

  /** Fills the bucket of a key. @throws CacheError RATE_LIMIT_UNAVAILABLE */
  async reset(key: string): Promise<void> {
    try {
      await this.#commands.guarded(() => this.#commands.call('DEL', this.#bucketOf(key)))
    } catch (cause) {
      throw new CacheError({
        code: 'RATE_LIMIT_UNAVAILABLE',
        message: `The limit '${this.#options.name}' cannot be reset: Redis does not answer.`,
        hint: 'Try again; the cause says what is wrong with Redis.',
        cause,
      })
    }
  }

  async #ask(key: string, tokens: number, how: 'look' | 'take'): Promise<RateLimitOutcome> {
    const { capacity, name, telemetry } = this.#options
    const run = () =>
      this.#commands.run(tokenBucketScript, [this.#bucketOf(key)], [capacity, this.#tokensPerMs, tokens, how])
    let reply: readonly unknown[]
    try {
      reply = (await this.#commands.guarded(run)) as readonly unknown[]
    } catch (error) {
      telemetry.count('shardwright.rate_limit.unavailable', 1, { limit: name })
      telemetry.log(
        'debug',
        `The rate limit '${name}' was not asked: ${error instanceof Error ? error.message : 'no answer'}`,
      )
      return this.#unavailable()
    }
    const [enough, left, waitMs] = reply.map((part) => Number(textOf(part))) as [number, number, number]
    return Object.freeze({
      allowed: enough === 1,
      remaining: Math.floor(left + 1e-6),
      retryAfterMs: waitMs,
      decidedBy: 'bucket',
    })
  }

  #unavailable(): RateLimitOutcome {
    const allowed = this.#options.whenUnavailable === 'allow'
    const retryAfterMs = allowed ? 0 : this.#options.breakForMs
    return Object.freeze({ allowed, remaining: undefined, retryAfterMs, decidedBy: 'unavailable' })
  }

  #check(tokens: number): void {
    const { capacity, name } = this.#options
    if (tokens > 0 && tokens <= capacity) return
    throw new CacheError({
      code: 'RATE_LIMIT_TOKENS',
      message: `${tokens} tokens cannot be taken from the limit '${name}', whose buckets hold ${capacity}.`,
      hint: 'Take a positive number, at most the capacity.',
      details: { limit: name, tokens, capacity },
    })
  }

  /** Keys come from outside: a long one is kept by its digest, and none can be made to meet another's bucket. */
  #bucketOf(key: string): string {
    const plain = key.length <= longestKey && !key.startsWith('sha256:')
    const short = plain ? key : `sha256:${createHash('sha256').update(key).digest('base64url')}`
    return `rate:${encodeURIComponent(this.#options.name)}:${short}`
  }
}

/**
 * Limits how often something may happen per key, over all processes that share the Redis: a token bucket, by the clock of
 * Redis, in one atomic step.
 * @throws CacheError CACHE_OPTIONS
 * @example
 * const limiter = createRateLimiter({ client, name: 'api', capacity: 20, refill: { tokens: 10, everyMs: 1_000 } })
 */
export function createRateLimiter(options: RateLimiterOptions): RateLimiter {
  return new RateLimiter(options)
}
