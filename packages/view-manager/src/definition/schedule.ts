import { Cron } from 'croner'
import { invalid } from '../errors/view-error.ts'
import type { Schedule } from './view.ts'

const unitsMs: Readonly<Record<string, number>> = {
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 604_800_000,
}

/** `15 minutes`, `1 day`, or a cron expression of 5 or 6 fields. */
export function parseSchedule(text: string, zone: string): Schedule {
  const duration = /^\s*(\d+)\s+(second|minute|hour|day|week)s?\s*$/.exec(text)
  if (duration) {
    const everyMs = Number(duration[1]) * (unitsMs[duration[2] as string] as number)
    if (everyMs > 0) return Object.freeze({ everyMs })
  }
  try {
    new Cron(text, { paused: true, timezone: zone }).nextRun()
    return Object.freeze({ cron: text, zone })
  } catch {
    // croner says only by throwing that it cannot read it.
    throw invalid(
      `refresh.every: '${text}' in zone '${zone}' is neither a duration such as '1 day' nor a cron expression.`,
    )
  }
}

/** Milliseconds from `nowMs` to the next run. */
export function delayOf(schedule: Schedule, nowMs: number): number {
  if ('everyMs' in schedule) return schedule.everyMs
  const next = new Cron(schedule.cron, { paused: true, timezone: schedule.zone }).nextRun(new Date(nowMs))
  // A pattern without a next time (a date that has passed) asks again tomorrow, at no cost.
  return next ? Math.max(1, next.getTime() - nowMs) : 86_400_000
}
