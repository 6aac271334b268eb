import { Temporal } from 'temporal-polyfill'

/** True for `2026-01-05`, without a time. */
export function isDate(text: string): boolean {
  try {
    return Temporal.PlainDate.from(text).toString() === text
  } catch {
    return false
  }
}

/** True for an IANA name such as `Europe/Berlin`; an offset such as `+02:00` knows no daylight saving time. */
export function isZone(text: string): boolean {
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(text)
    return !/^[+-]/.test(text)
  } catch {
    return false
  }
}
