import type { PartitionKey } from './partition-key.ts'

const stepUs = 1000n

/** The first 48 bits of a uuid v7 are milliseconds since 1970: a bound is the least uuid of its millisecond. */
export const uuidV7Key: PartitionKey = Object.freeze({
  name: 'uuid-v7',
  wall: false,
  types: ['uuid'],
  cast: 'pg_catalog.uuid',
  stepUs,
  nothingUpTo: undefined,
  text: (position) => {
    const ms = position / stepUs
    const clamped = ms < 0n ? 0n : ms
    const hex = clamped.toString(16).padStart(12, '0')
    return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`
  },
  parse: (text, side) => {
    const hex = text.replaceAll('-', '')
    if (!/^[0-9a-f]{32}$/.test(hex)) return undefined
    const ms = BigInt(`0x${hex.slice(0, 12)}`)
    if (ms > 8_640_000_000_000_000n) return undefined
    const within = /[^0]/.test(hex.slice(12))
    return (side === 'upper' && within ? ms + 1n : ms) * stepUs
  },
} satisfies PartitionKey)
