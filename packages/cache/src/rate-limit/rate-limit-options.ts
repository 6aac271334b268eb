import { noTelemetry, type Telemetry } from '@shardwright/core'
import { z } from 'zod'
import { parseOptions } from '../errors/parse-options.ts'
import { guardedFields } from '../redis/guarded-options.ts'

const optionsSchema = z.strictObject({
  ...guardedFields,
  /** Names the limit; its keys in Redis begin with it. */
  name: z.string().min(1),
  /** Tokens of a full bucket: the largest burst. */
  capacity: z.number().positive().finite(),
  /** So many tokens come back in so many milliseconds, evenly. */
  refill: z.strictObject({ tokens: z.number().positive().finite(), everyMs: z.number().positive().finite() }),
  /** What a caller hears while Redis does not answer within the budget. */
  whenUnavailable: z.enum(['allow', 'refuse']).default('allow'),
  telemetry: z.custom<Telemetry>().default(noTelemetry),
})

/** Options of `createRateLimiter`. */
export type RateLimiterOptions = z.input<typeof optionsSchema>
export type ResolvedRateLimiterOptions = Readonly<z.output<typeof optionsSchema>>

export function resolveRateLimiterOptions(options: RateLimiterOptions): ResolvedRateLimiterOptions {
  return Object.freeze(parseOptions('createRateLimiter', optionsSchema, options))
}
