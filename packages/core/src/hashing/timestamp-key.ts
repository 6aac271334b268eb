import { daysOf, formatCivil, isCivil } from './civil-date.ts'
import { invalidKey, kindOf } from './invalid-key.ts'

type TimestampType = 'timestamp' | 'timestamptz'

const timestampText =
  /^(\d{4,6})-(\d{1,2})-(\d{1,2})(?:(?: +|T)(\d{1,2}):(\d{2})(?::(\d{2})(\.\d*)?)?(?: ?(Z|[+-]\d{1,2}(?::?\d{2}(?::\d{2})?)?))?)?( BC)?$/i
const forms = {
  timestamp: 'Pass the timestamp as text, YYYY-MM-DD HH:MM:SS.',
  timestamptz: 'Pass the timestamp as a Date or as text with its offset, YYYY-MM-DD HH:MM:SS+00.',
}
const microsPerDay = 86_400_000_000
const unixToPostgresMs = 946_684_800_000
const infinite = 2n ** 63n - 1n
const minusInfinite = -(2n ** 63n)
/** 4713-11-24 BC (included) and 294277-01-01 (excluded). */
const firstMicros = -2451545n * 86_400_000_000n
const endMicros = 9223371331200000000n

/** Microseconds from 2000-01-01 (UTC for timestamptz) to the moment that a key value means. Throws KeyError. */
export function readTimestamp(type: TimestampType, value: unknown): number | bigint {
  if (value instanceof Date) return readDateObject(type, value)
  if (typeof value !== 'string') throw invalidKey(type, kindOf(value), forms[type])
  const text = value.trim()
  const match = timestampText.exec(text)
  if (match) return inRange(type, readFields(type, match))
  const infinity = /^([+-]?)infinity$/i.exec(text)
  if (infinity) return infinity[1] === '-' ? minusInfinite : infinite
  throw invalidKey(type, 'a text of another form than ISO 8601', forms[type])
}

function readDateObject(type: TimestampType, date: Date): number | bigint {
  if (type === 'timestamp') {
    throw invalidKey(type, 'a Date, whose local time depends on the time zone', forms.timestamp)
  }
  const ms = date.getTime()
  if (Number.isNaN(ms)) throw invalidKey(type, 'an invalid Date', forms.timestamptz)
  return inRange(type, sum(0, ms - unixToPostgresMs, 1000))
}

function readFields(type: TimestampType, match: RegExpExecArray): number | bigint {
  const [, yearText, monthText, dayText, hourText, minute = '0', second = '0', fraction, offset, bc] = match
  const shown = Number(yearText)
  const year = bc === undefined ? shown : 1 - shown
  const month = Number(monthText)
  const day = Number(dayText)
  if (shown === 0 || !isCivil(year, month, day)) throw invalidKey(type, 'a day that does not exist', forms[type])
  if (type === 'timestamptz' && offset === undefined) {
    throw invalidKey(type, 'a text without its offset, whose moment depends on the time zone', forms.timestamptz)
  }
  const time = timeOfDay(type, Number(hourText ?? '0'), Number(minute), Number(second), fraction)
  // A timestamp without time zone ignores the offset, as PostgreSQL does.
  const shift = offset === undefined ? 0 : offsetSeconds(type, offset)
  return sum(daysOf(year, month, day), type === 'timestamptz' ? time - shift * 1e6 : time, 1)
}

function timeOfDay(type: TimestampType, hour: number, minute: number, second: number, fraction?: string): number {
  const micros = fraction === undefined || fraction === '.' ? 0 : roundHalfEven(Number(`0${fraction}`) * 1e6)
  const time = ((hour * 60 + minute) * 60 + second) * 1e6 + micros
  if (minute > 59 || second > 59 || time > microsPerDay) {
    throw invalidKey(type, 'a time that does not exist', forms[type])
  }
  return time
}

/** C's rint, which PostgreSQL rounds fractions with. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value)
  const rest = value - floor
  if (rest !== 0.5) return Math.round(value)
  return floor % 2 === 0 ? floor : floor + 1
}

function offsetSeconds(type: TimestampType, offset: string): number {
  if (offset === 'Z' || offset === 'z') return 0
  const [, sign, hours, minutes = '0', seconds = '0'] = /^([+-])(\d{1,2}):?(\d{2})?(?::(\d{2}))?$/.exec(offset)!
  if (Number(hours) > 15 || Number(minutes) > 59 || Number(seconds) > 59) {
    throw invalidKey(type, 'a text with an offset that does not exist', forms[type])
  }
  const magnitude = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)
  return sign === '-' ? -magnitude : magnitude
}

/** days * microsPerDay + time * unit, as a number where that is exact. */
function sum(days: number, time: number, unit: number): number | bigint {
  const number = days * microsPerDay + time * unit
  if (Number.isSafeInteger(number) && Math.abs(days) < 100_000) return number
  const exact = BigInt(days) * BigInt(microsPerDay) + BigInt(time) * BigInt(unit)
  return Number.isSafeInteger(Number(exact)) ? Number(exact) : exact
}

function inRange(type: TimestampType, micros: number | bigint): number | bigint {
  if (typeof micros === 'number' || (micros >= firstMicros && micros < endMicros)) return micros
  throw invalidKey(type, 'out of its range', 'From 4713-11-24 BC to the end of 294276.')
}

/** The moment as PostgreSQL writes it under DateStyle ISO (and TimeZone UTC). */
export function timestampToText(type: TimestampType, micros: number | bigint): string {
  if (micros === infinite) return 'infinity'
  if (micros === minusInfinite) return '-infinity'
  const exact = BigInt(micros)
  const perDay = BigInt(microsPerDay)
  const time = Number(((exact % perDay) + perDay) % perDay)
  const days = Number((exact - BigInt(time)) / perDay)
  const { text, bc } = formatCivil(days)
  return `${text} ${formatTime(time)}${type === 'timestamptz' ? '+00' : ''}${bc ? ' BC' : ''}`
}

function formatTime(micros: number): string {
  const seconds = Math.floor(micros / 1e6)
  const pad = (value: number) => String(value).padStart(2, '0')
  const whole = `${pad(Math.floor(seconds / 3600))}:${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}`
  const rest = micros % 1e6
  return rest === 0 ? whole : `${whole}.${String(rest).padStart(6, '0').replace(/0+$/, '')}`
}
