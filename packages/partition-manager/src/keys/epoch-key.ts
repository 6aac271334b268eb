import type { PartitionKey, PartitionKeyName } from './partition-key.ts'

const lastUs = 8_640_000_000_000_000_000n

function epochKey(name: PartitionKeyName, stepUs: bigint, types: readonly string[]): PartitionKey {
  return Object.freeze({
    name,
    wall: false,
    types,
    cast: 'pg_catalog.int8',
    stepUs,
    nothingUpTo: types.includes('int4') ? undefined : String(-lastUs / stepUs - 1n),
    text: (position) => String(position / stepUs),
    // Beyond Temporal's range (a bound like 9223372036854775807) there is no point in time: opaque.
    parse: (text) => (/^-?\d{1,19}$/.test(text) ? withinTime(BigInt(text) * stepUs) : undefined),
  } satisfies PartitionKey)
}

function withinTime(position: bigint): bigint | undefined {
  return position >= -lastUs && position <= lastUs ? position : undefined
}

export const epochSecondsKey = epochKey('epoch-s', 1_000_000n, ['int8', 'int4'])
export const epochMillisecondsKey = epochKey('epoch-ms', 1000n, ['int8'])
export const epochMicrosecondsKey = epochKey('epoch-us', 1n, ['int8'])
