import type { ShardwrightError } from '@shardwright/core'
import { z } from 'zod'

/** Options whose defaults are filled in, checked and frozen; `refuse` makes the error of what is wrong with them. */
export function checkedOptions<Options extends object>(
  resolved: Options,
  shape: z.ZodType,
  refuse: (problem: string) => ShardwrightError,
): Readonly<Options> {
  const checked = shape.safeParse(resolved)
  if (!checked.success) throw refuse(z.prettifyError(checked.error))
  return Object.freeze(resolved)
}
