import { daysOf, formatCivil, isCivil } from './civil-date.ts'
import { invalidKey, kindOf } from './invalid-key.ts'

const form = 'Pass the date as text, YYYY-MM-DD.'
const dateText = /^(\d{4,7})-(\d{1,2})-(\d{1,2})( BC)?$/i
const infinite = 2147483647
const minusInfinite = -2147483648
/** 4713-11-24 BC and 5874897-12-31, the ends of PostgreSQL's date. */
const firstDay = -2451545
const lastDay = 2145031948

/**
 * Days from 2000-01-01 to the date that a key value means. A Date is refused: which day it is depends on a time zone.
 * Throws KeyError.
 */
export function readDate(value: unknown): number {
  if (value instanceof Date) throw invalidKey('date', 'a Date, whose day depends on the time zone', form)
  if (typeof value !== 'string') throw invalidKey('date', kindOf(value), form)
  const text = value.trim()
  const match = dateText.exec(text)
  if (match) return readFields(match)
  const infinity = /^([+-]?)infinity$/i.exec(text)
  if (infinity) return infinity[1] === '-' ? minusInfinite : infinite
  throw invalidKey('date', 'a text that is not YYYY-MM-DD', form)
}

function readFields(match: RegExpExecArray): number {
  const shown = Number(match[1])
  const year = match[4] === undefined ? shown : 1 - shown
  const month = Number(match[2])
  const day = Number(match[3])
  if (shown === 0 || !isCivil(year, month, day)) throw invalidKey('date', 'a day that does not exist', form)
  const days = daysOf(year, month, day)
  if (days < firstDay || days > lastDay)
    throw invalidKey('date', 'out of its range', 'From 4713-11-24 BC to 5874897-12-31.')
  return days
}

/** The date as PostgreSQL writes it under DateStyle ISO. */
export function dateToText(days: number): string {
  if (days === infinite) return 'infinity'
  if (days === minusInfinite) return '-infinity'
  const { text, bc } = formatCivil(days)
  return bc ? `${text} BC` : text
}
