import { compareDecimals } from './decimal.ts'
import { timestampOrdinal } from './timestamp-order.ts'

/** Compares two values given as PostgreSQL's text, as PostgreSQL would. Never called with NULL. */
export type Compare = (a: string, b: string) => number

const oids = Object.freeze({
  bool: 16,
  bytea: 17,
  int8: 20,
  int2: 21,
  int4: 23,
  oid: 26,
  float4: 700,
  float8: 701,
  date: 1082,
  timestamp: 1114,
  timestamptz: 1184,
  numeric: 1700,
  uuid: 2950,
})

function integers(a: string, b: string): number {
  // Of two that are not negative the longer is the greater: PostgreSQL writes no zeros in front.
  if (a.charCodeAt(0) !== 45 && b.charCodeAt(0) !== 45) return a.length - b.length || text(a, b)
  const difference = BigInt(a) - BigInt(b)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

/** NaN is equal to itself and above everything; -0 equals 0. */
function floats(a: string, b: string): number {
  const x = Number(a)
  const y = Number(b)
  if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y))
  return x < y ? -1 : x > y ? 1 : 0
}

function text(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Dates and timestamps without a zone. */
function timestamps(a: string, b: string): number {
  return hasPlainYear(a) && hasPlainYear(b) ? text(a, b) : instants(a, b)
}

function timestampsWithZone(a: string, b: string): number {
  return hasPlainYear(a) && hasPlainYear(b) && haveSameOffset(a, b) ? text(a, b) : instants(a, b)
}

function instants(a: string, b: string): number {
  const x = timestampOrdinal(a)
  const y = timestampOrdinal(b)
  return x < y ? -1 : x > y ? 1 : 0
}

// Of four digits and not BC: then the texts are in order. A fraction ends without zeros, and `+`, `-` and `.` are below digits.
function hasPlainYear(text: string): boolean {
  return text.charCodeAt(4) === 45 && text.charCodeAt(text.length - 1) !== 67
}

/** The same whole hours, as in one zone but for its summers. */
function haveSameOffset(a: string, b: string): boolean {
  const sign = a.charCodeAt(a.length - 3)
  return (sign === 43 || sign === 45) && a.endsWith(b.slice(-3))
}

const orders: ReadonlyMap<number, Compare> = new Map<number, Compare>([
  [oids.int2, integers],
  [oids.int4, integers],
  [oids.int8, integers],
  [oids.oid, integers],
  [oids.numeric, compareDecimals],
  [oids.float4, floats],
  [oids.float8, floats],
  // f < t, as text too.
  [oids.bool, text],
  // Lower-case hexadecimal of a fixed width, as the bytes.
  [oids.uuid, text],
  [oids.bytea, text],
  [oids.date, timestamps],
  [oids.timestamp, timestamps],
  [oids.timestamptz, timestampsWithZone],
])

/** The order of a type, or `undefined` where only PostgreSQL knows it (text by its collation, json, arrays, ...). */
export function orderOfType(oid: number): Compare | undefined {
  return orders.get(oid)
}

/** A value by which `<` orders as the type does (numbers and bigints mix); `undefined` where the order needs more. */
export function sortKeyOfType(oid: number): ((text: string) => number | bigint | string) | undefined {
  switch (oid) {
    case oids.int2:
    case oids.int4:
    case oids.oid:
      return smallInteger
    case oids.int8:
      return (text) => (text.length < 16 ? smallInteger(text) : BigInt(text))
    case oids.bool:
    case oids.uuid:
    case oids.bytea:
      return (text) => text
    case oids.date:
    case oids.timestamp:
    case oids.timestamptz:
      return timestampOrdinal
    default:
      return undefined
  }
}

/** `Number` of an integer of at most 15 digits, which asks the runtime for each text it has not met. */
function smallInteger(text: string): number {
  const negative = text.charCodeAt(0) === 45
  let value = 0
  for (let at = negative ? 1 : 0; at < text.length; at++) value = value * 10 + (text.charCodeAt(at) - 48)
  return negative ? -value : value
}

/** A text that is equal for equal values of the type, or `undefined` where only PostgreSQL can tell. */
export function identityOfType(oid: number): ((value: string) => string) | undefined {
  switch (oid) {
    case oids.bool:
    case oids.int2:
    case oids.int4:
    case oids.int8:
    case oids.oid:
    case oids.uuid:
    case oids.bytea:
    case oids.date:
    case oids.timestamp:
    case oids.timestamptz:
      return (value) => value
    default:
      return undefined
  }
}

export const typeOids = oids
