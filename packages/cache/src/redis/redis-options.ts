import { z } from 'zod'
import { parseOptions } from '../errors/parse-options.ts'
import { guardedFields } from './guarded-options.ts'

const optionsSchema = z
  .strictObject({
    ...guardedFields,
    /** `acknowledged`: an invalidation is done when every process has dropped its copy. `notified`: when it was sent. */
    coherence: z.enum(['acknowledged', 'notified']).default('acknowledged'),
    /** How long a process may believe its own copies without a sign of life from Redis. The same in all processes. */
    linkLeaseMs: z.number().min(100).default(2_000),
    /** How long a commit waits for an invalidation that cannot be sent; afterwards it is late, and counted. */
    invalidateBudgetMs: z.number().positive().default(3_000),
    /** Late invalidations kept in this process; past it, everything is invalidated when Redis returns. */
    maxLateKeys: z.int().positive().default(10_000),
    /** How long the tokens of an invalidation are kept: longer than the largest lag of a replica that is read. */
    tokensTtlMs: z.int().positive().default(60_000),
    /** Redis itself tells of changes to entries too (CLIENT TRACKING): those made past this library, e.g. by redis-cli. */
    clientTracking: z.boolean().default(false),
    maxValueBytes: z
      .int()
      .positive()
      .default(1024 * 1024),
    compressAboveBytes: z.int().positive().default(4_096),
  })
  .check((context) => {
    if (context.value.clientTracking && context.value.client.isCluster === true) {
      context.issues.push({
        code: 'custom',
        input: true,
        path: ['clientTracking'],
        message: 'is not possible on a cluster, where each server would have to be tracked',
      })
    }
    const { linkLeaseMs, invalidateBudgetMs } = context.value
    if (invalidateBudgetMs < linkLeaseMs) {
      context.issues.push({
        code: 'custom',
        input: invalidateBudgetMs,
        path: ['invalidateBudgetMs'],
        message:
          'must not be shorter than linkLeaseMs, or a commit could return while other processes believe old copies',
      })
    }
  })

/** Options of `redisTier`; all but `client` have defaults. */
export type RedisTierOptions = z.input<typeof optionsSchema>
export type ResolvedRedisOptions = Readonly<z.output<typeof optionsSchema>>

export function resolveRedisOptions(options: RedisTierOptions): ResolvedRedisOptions {
  return Object.freeze(parseOptions('redisTier', optionsSchema, options))
}
