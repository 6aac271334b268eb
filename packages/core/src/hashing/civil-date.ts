// Days of the proleptic Gregorian calendar, counted from 2000-01-01 as PostgreSQL does; year 0 is 1 BC.

const daysPerEra = 146097
/** 0000-03-01 to 2000-01-01. */
const epochOffset = 730425

/** Days from 2000-01-01 to the given date. */
export function daysOf(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * daysPerEra + dayOfEra - epochOffset
}

/** The date that lies `days` after 2000-01-01. */
function civilOf(days: number): { readonly year: number; readonly month: number; readonly day: number } {
  const shifted = days + epochOffset
  const era = Math.floor(shifted / daysPerEra)
  const dayOfEra = shifted - era * daysPerEra
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day }
}

/** True for a month from 1 to 12 and a day that it has. */
export function isCivil(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1) return false
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  const length = month === 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31
  return day <= length
}

/** `2026-01-31`, and whether ` BC` has to follow. */
export function formatCivil(days: number): { readonly text: string; readonly bc: boolean } {
  const { year, month, day } = civilOf(days)
  const bc = year <= 0
  const shown = String(bc ? 1 - year : year).padStart(4, '0')
  return { text: `${shown}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`, bc }
}
