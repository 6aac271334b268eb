import { z } from 'zod'
import { rangeForm } from './bound.ts'
import type { JobDetail } from './catalog-state.ts'

const detailSchema = z.object({
  lower: z.string().nullable(),
  upper: z.string().nullable(),
  bound: z.string().regex(rangeForm).optional(),
  phase: z.enum(['archive', 'detach', 'dispose']).optional(),
  rows: z.string().optional(),
  checksum: z.string().optional(),
})

/** The journal is a table that others can write to: what comes out of it is checked. */
export function parseJobDetail(value: unknown): JobDetail {
  return detailSchema.parse(value) as JobDetail
}
