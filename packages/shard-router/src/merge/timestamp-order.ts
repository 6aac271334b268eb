const pattern =
  /^(\d{4,})-(\d\d)-(\d\d)(?: (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?)?(?:([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?)?( BC)?$/

/** Microseconds of a date, timestamp or timestamptz in ISO style, as a number to compare with; infinities at the ends. */
export function timestampOrdinal(text: string): bigint {
  if (text === 'infinity') return 1n << 80n
  if (text === '-infinity') return -(1n << 80n)
  const match = pattern.exec(text)
  if (!match) throw new RangeError('not an ISO timestamp')
  const [
    ,
    year,
    month,
    day,
    hour = '0',
    minute = '0',
    second = '0',
    fraction = '',
    sign,
    oh = '0',
    om = '0',
    os = '0',
    bc,
  ] = match
  // Year 1 BC is year 0.
  const astronomical = bc ? 1 - Number(year) : Number(year)
  const days = daysFromCivil(astronomical, Number(month), Number(day))
  const offset = (sign === '-' ? -1 : 1) * (Number(oh) * 3600 + Number(om) * 60 + Number(os))
  const seconds = BigInt(days) * 86_400n + BigInt(Number(hour) * 3600 + Number(minute) * 60 + Number(second) - offset)
  return seconds * 1_000_000n + BigInt(fraction.padEnd(6, '0'))
}

/** Days since 1970-01-01 in the proleptic Gregorian calendar. */
function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}
