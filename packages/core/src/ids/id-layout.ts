import { z } from 'zod'
import { ConfigurationError } from '../errors/configuration-error.ts'
import { IdError } from '../errors/id-error.ts'

const timeBits = 41
const lowBits = 22
const maxId = 2n ** 63n - 1n

export interface IdLayoutOptions {
  /** The topology's number of buckets; the same for ever. */
  readonly buckets: number
  /** 2^workerBits processes may make ids at one time. Default: 7, or what is left beside the buckets. */
  readonly workerBits?: number | undefined
  /** Where the ids' time begins, milliseconds since 1970. Default: 2024-01-01; 41 bits last for 69 years. */
  readonly epochMs?: number | undefined
}

/**
 * How the 63 bits of an id are used, from the highest: 41 bits of milliseconds since `epochMs`, then bucket, worker,
 * sequence (22 bits together). With 1024 buckets: 10 + 7 + 5, so 32 ids a millisecond for each bucket and worker.
 */
export interface IdLayout {
  readonly buckets: number
  readonly bucketBits: number
  readonly workerBits: number
  readonly sequenceBits: number
  readonly epochMs: number
}

/** What an id is made of. */
export interface IdParts {
  readonly timeMs: number
  readonly bucket: number
  readonly worker: number
  readonly sequence: number
}

const optionsShape = z.strictObject({
  buckets: z
    .number()
    .int()
    .min(1)
    .max(65536)
    .refine((n) => (n & (n - 1)) === 0, 'must be a power of two'),
  workerBits: z.number().int().min(0).max(16).optional(),
  epochMs: z
    .number()
    .int()
    .min(0)
    .default(Date.UTC(2024, 0, 1)),
})

/**
 * Divides an id's bits; the layout must never change for ids that are stored.
 * @throws ConfigurationError INVALID_OPTIONS
 * @example
 * const layout = idLayout({ buckets: topology.buckets })
 */
export function idLayout(options: IdLayoutOptions): IdLayout {
  const parsed = optionsShape.safeParse(options)
  if (!parsed.success) throw invalidLayout(z.prettifyError(parsed.error))
  const { buckets, epochMs } = parsed.data
  const bucketBits = Math.log2(buckets)
  const workerBits = parsed.data.workerBits ?? Math.min(7, lowBits - bucketBits - 2)
  const sequenceBits = lowBits - bucketBits - workerBits
  if (sequenceBits < 1) {
    throw invalidLayout(
      `${bucketBits} bits of buckets and ${workerBits} of workers leave none of ${lowBits} to count with`,
    )
  }
  return Object.freeze({ buckets, bucketBits, workerBits, sequenceBits, epochMs })
}

/**
 * Puts an id together. The parts are not checked: `IdGenerator` gives them in range.
 */
export function packId(layout: IdLayout, { timeMs, bucket, worker, sequence }: IdParts): bigint {
  const low = (((bucket << layout.workerBits) | worker) << layout.sequenceBits) | sequence
  return (BigInt(timeMs - layout.epochMs) << BigInt(lowBits)) | BigInt(low)
}

/**
 * Takes an id apart.
 * @throws IdError INVALID_ID
 * @example
 * readId(layout, '316659348800185362') // { timeMs, bucket, worker, sequence }
 */
export function readId(layout: IdLayout, id: bigint | string): IdParts {
  const value = toBigInt(id)
  const low = Number(value & (2n ** BigInt(lowBits) - 1n))
  return {
    timeMs: Number(value >> BigInt(lowBits)) + layout.epochMs,
    bucket: low >>> (layout.workerBits + layout.sequenceBits),
    worker: (low >>> layout.sequenceBits) & (2 ** layout.workerBits - 1),
    sequence: low & (2 ** layout.sequenceBits - 1),
  }
}

/** The last millisecond that an id can carry. */
export function lastTimeMs(layout: IdLayout): number {
  return layout.epochMs + 2 ** timeBits - 1
}

function toBigInt(id: unknown): bigint {
  const value = typeof id === 'bigint' ? id : typeof id === 'string' && /^\d{1,19}$/.test(id) ? BigInt(id) : undefined
  if (value !== undefined && value >= 0n && value <= maxId) return value
  throw new IdError({
    code: 'INVALID_ID',
    message: 'The value is not an id: ids are integers from 0 to 2^63 - 1.',
    hint: 'Pass the id as it was generated, as bigint or decimal text; a JavaScript number is not exact.',
  })
}

function invalidLayout(reason: string): ConfigurationError {
  return new ConfigurationError({
    code: 'INVALID_OPTIONS',
    message: `The id layout is not usable: ${reason}`,
    hint: 'Pass { buckets: topology.buckets }, and fewer workerBits with many buckets.',
  })
}
