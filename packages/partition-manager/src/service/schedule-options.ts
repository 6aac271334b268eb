import { Cron } from 'croner'
import { z } from 'zod'
import { isZone } from '../calendar/zone.ts'
import { PartitionError } from '../errors/partition-error.ts'

export interface ScheduleOptions {
  /** A cron expression of 5 or 6 fields: `0 * * * *` is every hour. */
  readonly schedule: string
  /** The zone of the schedule, an IANA name; default `UTC`. */
  readonly scheduleZone?: string
  /** A run starts up to so much later than its time, at random, so that services do not start together; default 30000. */
  readonly jitterMs?: number
  /** `advisory-lock` (default): of all processes one runs. `none`: every process runs; the tables' locks keep them apart. */
  readonly leader?: 'advisory-lock' | 'none'
}

const scheduleSchema = z.object({
  schedule: z.string().refine(isCron, 'is not a cron expression'),
  scheduleZone: z.string().refine(isZone, 'is not an IANA time zone').default('UTC'),
  jitterMs: z.int().min(0).default(30_000),
  leader: z.enum(['advisory-lock', 'none']).default('advisory-lock'),
})

export function resolveSchedule(options: ScheduleOptions): z.output<typeof scheduleSchema> {
  const parsed = scheduleSchema.safeParse(options)
  if (parsed.success) return parsed.data
  throw new PartitionError({
    code: 'PARTITION_POLICY_INVALID',
    message: `The schedule of the maintenance is not valid: ${z.prettifyError(parsed.error)}`,
  })
}

function isCron(text: string): boolean {
  try {
    new Cron(text, { paused: true }).stop()
    return true
  } catch {
    // croner says only by throwing that it cannot read it.
    return false
  }
}
