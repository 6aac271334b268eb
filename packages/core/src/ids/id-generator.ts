import { IdError } from '../errors/id-error.ts'
import type { Clock } from '../ports/clock.ts'
import { systemClock } from '../ports/system-clock.ts'
import { type IdLayout, lastTimeMs, packId } from './id-layout.ts'
import type { WorkerLease } from './worker-lease.ts'

export interface IdGeneratorOptions {
  readonly layout: IdLayout
  readonly lease: WorkerLease
  readonly clock?: Clock | undefined
  /**
   * How far the ids' time may run ahead of the clock, milliseconds: when the clock goes back, or when one bucket gets
   * more ids than its sequence holds. Beyond it `next` throws. Default: 5000.
   */
  readonly maxAheadMs?: number | undefined
}

/**
 * Makes 63-bit ids that sort by time and carry their bucket. Ids of one bucket only grow.
 * @example
 * const ids = new IdGenerator({ layout, lease: await workers.acquire() })
 * const { bucket } = locate(topology, { family: 'festival_id', type: 'text', value: festival })
 * const id = ids.next(bucket) // 316659348800185362n; as text where JSON or a bigint column needs it
 */
export class IdGenerator {
  readonly #layout: IdLayout
  readonly #lease: WorkerLease
  readonly #clock: Clock
  readonly #maxAheadMs: number
  readonly #lastMs: Float64Array
  readonly #sequences: Uint32Array
  readonly #sequenceLimit: number
  #highestNow = 0
  #highestMs = -1

  constructor({ layout, lease, clock = systemClock, maxAheadMs = 5000 }: IdGeneratorOptions) {
    this.#layout = layout
    this.#lease = lease
    this.#clock = clock
    this.#maxAheadMs = maxAheadMs
    this.#lastMs = new Float64Array(layout.buckets)
    this.#sequences = new Uint32Array(layout.buckets)
    this.#sequenceLimit = 2 ** layout.sequenceBits
  }

  /**
   * The next id of a bucket.
   * @throws IdError INVALID_ID (no such bucket), CLOCK_WENT_BACK, TOO_MANY_IDS, TIME_OUT_OF_RANGE,
   * WORKER_LEASE_LOST
   */
  next(bucket: number): bigint {
    const last = this.#lastMs[bucket]
    if (last === undefined) throw noSuchBucket(bucket, this.#layout.buckets)
    const now = Math.floor(this.#clock.now())
    let timeMs = this.#floor(now)
    let sequence = 0
    if (timeMs <= last) {
      timeMs = last
      sequence = this.#sequences[bucket]! + 1
      if (sequence === this.#sequenceLimit) {
        timeMs++
        sequence = 0
      }
    }
    this.#check(timeMs, now)
    this.#lastMs[bucket] = timeMs
    this.#sequences[bucket] = sequence
    return packId(this.#layout, { timeMs, bucket, worker: this.#lease.worker, sequence })
  }

  /** The clock, but never behind itself nor before what the lease allows. */
  #floor(now: number): number {
    if (now > this.#highestNow) this.#highestNow = now
    const floor = Math.max(this.#highestNow, this.#lease.firstMs)
    if (floor - now > this.#maxAheadMs) throw clockWentBack(floor - now)
    return floor
  }

  #check(timeMs: number, now: number): void {
    if (timeMs - now > this.#maxAheadMs) throw tooManyIds(this.#sequenceLimit)
    if (this.#lease.lost || timeMs > this.#lease.untilMs) throw leaseLost(this.#lease.worker)
    if (timeMs > this.#highestMs) {
      if (timeMs < this.#layout.epochMs || timeMs > lastTimeMs(this.#layout)) throw timeOutOfRange()
      this.#highestMs = timeMs
      this.#lease.used(timeMs)
    }
  }
}

function noSuchBucket(bucket: number, buckets: number): IdError {
  return new IdError({
    code: 'INVALID_ID',
    message: `There is no bucket ${bucket}: they go from 0 to ${buckets - 1}.`,
    hint: 'Pass the bucket that locate() gives.',
    details: { bucket, buckets },
  })
}

function clockWentBack(byMs: number): IdError {
  return new IdError({
    code: 'CLOCK_WENT_BACK',
    message: `The clock is ${Math.round(byMs)} ms behind the ids that were made.`,
    hint: 'Check time synchronisation; the generator goes on by itself when the clock has caught up.',
    details: { byMs },
  })
}

function timeOutOfRange(): IdError {
  return new IdError({
    code: 'TIME_OUT_OF_RANGE',
    message: 'The clock shows a time that ids of this layout cannot carry: 69 years from its epochMs.',
    hint: "Check the machine's clock and the layout's epochMs.",
  })
}

function tooManyIds(perMs: number): IdError {
  return new IdError({
    code: 'TOO_MANY_IDS',
    message: `One bucket gets more ids than the ${perMs} per millisecond that its sequence holds.`,
    hint: 'Try again a moment later, or lay out fewer workerBits.',
    details: { perMs },
  })
}

function leaseLost(worker: number): IdError {
  return new IdError({
    code: 'WORKER_LEASE_LOST',
    message: `The lease on worker number ${worker} has ended.`,
    hint: 'Acquire a new lease; check that the database was reachable and the process not paused.',
    details: { worker },
  })
}
