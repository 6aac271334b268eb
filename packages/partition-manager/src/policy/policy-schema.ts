import { z } from 'zod'
import { parseDuration } from '../calendar/duration.ts'
import { parseInterval, weekDays } from '../calendar/interval.ts'
import { isDate, isZone } from '../calendar/zone.ts'
import { partitionKeyNames } from '../keys/keys.ts'
import type { ArchiveFunction } from './archive-target.ts'

const name = z
  .string()
  .min(1)
  .refine((text) => Buffer.byteLength(text) <= 63, 'is longer than 63 bytes')

const duration = z.string().transform((text, context) => {
  const parsed = parseDuration(text)
  if (parsed) return parsed
  context.addIssue({ code: 'custom', message: `'${text}' is not a length of time such as '12 months' or '90 days'` })
  return z.NEVER
})

const interval = z.string().transform((text, context) => {
  const parsed = parseInterval(text)
  if (parsed) return parsed
  context.addIssue({ code: 'custom', message: `'${text}' is not hour, day, N days, week, month, quarter or year` })
  return z.NEVER
})

const zone = z.string().refine(isZone, 'is not an IANA time zone')

const archive = z.union([
  z.strictObject({ directory: z.string().min(1) }),
  z.strictObject({ schema: name }),
  z.custom<ArchiveFunction>((value) => typeof value === 'function', 'is not a directory, a schema or a function'),
])

const index = z.strictObject({
  name,
  columns: z.array(name).min(1).readonly(),
  unique: z.boolean().default(false),
  using: z
    .string()
    .regex(/^[a-z_][a-z0-9_]*$/)
    .default('btree'),
  include: z.array(name).readonly().default([]),
  where: z.string().min(1).optional(),
})

/** The one place of every default. */
export const policySchema = z.strictObject({
  table: z.string().min(1),
  schema: name.default('public'),
  by: name,
  key: z.enum(partitionKeyNames).default('timestamptz'),
  every: interval,
  zone: zone.default('UTC'),
  weekStart: z.enum(weekDays).optional(),
  anchor: z.string().refine(isDate, 'is not an ISO date').optional(),
  premake: z.int().min(0).max(1000).default(3),
  from: z.string().optional(),
  fillGaps: z.boolean().default(true),
  retention: z
    .strictObject({
      keep: duration,
      // biome-ignore lint/suspicious/noThenProperty: reads as a sentence with `keep`; it is never a function.
      then: z.union([z.enum(['detach', 'drop']), z.strictObject({ archive })]),
      maxDropsPerRun: z.int().min(1).default(12),
    })
    .optional(),
  defaultRows: z.enum(['report', 'repair']).default('report'),
  repairBatchRows: z.int().min(1).max(1_000_000).default(5000),
  indexes: z.array(index).readonly().default([]),
  analyzeEvery: duration.optional(),
  columnar: z.strictObject({ after: duration }).optional(),
})

export type ParsedPolicy = z.output<typeof policySchema>
