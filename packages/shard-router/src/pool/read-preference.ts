import { z } from 'zod'
import { poolOptionsError } from './pool-error.ts'
import type { ReadPreference } from './shard-pool.ts'

export const readPreferenceShape = z.union([
  z.enum(['primary', 'replica']),
  z.strictObject({ maxLagMs: z.number().min(0).optional(), maxLagBytes: z.number().min(0).optional() }),
])

/** A misspelt limit would be none. @throws ConfigurationError INVALID_POOL_OPTIONS */
export function checkReads(reads: ReadPreference): ReadPreference {
  if (reads === 'primary' || reads === 'replica') return reads
  const parsed = readPreferenceShape.safeParse(reads)
  if (parsed.success) return Object.freeze(parsed.data)
  throw poolOptionsError(
    `Reads go to 'primary', 'replica' or { maxLagMs?, maxLagBytes? }: ${z.prettifyError(parsed.error)}`,
    parsed.error,
  )
}
