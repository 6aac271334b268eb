import type { z } from 'zod'
import { CacheError } from './cache-error.ts'

/** Checks options at the edge; the message names the option and never repeats its value. */
export function parseOptions<S extends z.ZodType>(owner: string, schema: S, options: unknown): z.output<S> {
  const result = schema.safeParse(options)
  if (result.success) return result.data
  const issues = result.error.issues.map((issue) => `${issue.path.join('.') || 'options'}: ${issue.message}`)
  throw new CacheError({
    code: 'CACHE_OPTIONS',
    message: `The options of ${owner} are not valid: ${issues.join('; ')}.`,
    hint: 'Correct the options that the message names.',
    details: { owner, issues },
  })
}
