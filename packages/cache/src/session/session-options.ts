import { z } from 'zod'
import { parseOptions } from '../errors/parse-options.ts'
import { guardedFields } from '../redis/guarded-options.ts'

const optionsSchema = z.strictObject({
  ...guardedFields,
  budgetMs: z.number().positive().default(500),
  /** Before each session's id in Redis. */
  prefix: z.string().default('session:'),
  /** A session that nobody uses for so long is gone; a cookie's own age goes before. */
  ttlMs: z
    .int()
    .positive()
    .default(24 * 60 * 60 * 1000),
  /** How long an ended session cannot be stored again: longer than the longest request. */
  endedForMs: z
    .int()
    .positive()
    .default(5 * 60 * 1000),
  maxBytes: z
    .int()
    .positive()
    .default(64 * 1024),
})

/** Options of `createSessionStore`; all but `client` have defaults. */
export type SessionStoreOptions = z.input<typeof optionsSchema>
export type ResolvedSessionOptions = Readonly<z.output<typeof optionsSchema>>

export function resolveSessionOptions(options: SessionStoreOptions): ResolvedSessionOptions {
  return Object.freeze(parseOptions('createSessionStore', optionsSchema, options))
}
