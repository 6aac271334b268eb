import { randomFillSync } from 'node:crypto'
import { IdError } from '../errors/id-error.ts'
import type { Clock } from '../ports/clock.ts'
import { systemClock } from '../ports/system-clock.ts'

const counterLimit = 2 ** 32
const uuidText = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i

/**
 * Makes uuids of version 7 that only grow within the generator, also within one millisecond and when the clock goes back.
 *
 * Layout (RFC 9562): 48 bits of milliseconds since 1970, version, the upper 12 bits of a counter, variant, its lower 20
 * bits, 42 random bits. The counter starts at a random 31-bit number in each millisecond.
 */
export class UuidV7Generator {
  readonly #clock: Clock
  readonly #random = Buffer.alloc(4096)
  readonly #bytes = Buffer.alloc(16)
  #used = this.#random.length
  #ms = -1
  #counter = 0

  constructor(clock: Clock = systemClock) {
    this.#clock = clock
  }

  /** The next uuid, in lower case with hyphens. */
  next(): string {
    this.#advance()
    const at = this.#takeRandom(6)
    const bytes = this.#bytes
    bytes.writeUIntBE(this.#ms, 0, 6)
    bytes.writeUInt16BE(0x7000 | (this.#counter >>> 20), 6)
    bytes.writeUInt32BE(
      (0x80000000 | ((this.#counter & 0xfffff) << 10) | (this.#random.readUInt16BE(at) >>> 6)) >>> 0,
      8,
    )
    this.#random.copy(bytes, 12, at + 2, at + 6)
    const hex = bytes.toString('hex')
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
  }

  #advance(): void {
    const now = Math.floor(this.#clock.now())
    if (now > this.#ms) {
      this.#ms = now
      this.#restartCounter()
    } else if (++this.#counter === counterLimit) {
      this.#ms++
      this.#restartCounter()
    }
  }

  #restartCounter(): void {
    this.#counter = this.#random.readUInt32BE(this.#takeRandom(4)) >>> 1
  }

  #takeRandom(count: number): number {
    if (this.#used + count > this.#random.length) {
      randomFillSync(this.#random)
      this.#used = 0
    }
    const at = this.#used
    this.#used += count
    return at
  }
}

let shared: UuidV7Generator | undefined

/**
 * A new uuid of version 7; those of one process only grow.
 * @example
 * uuidV7() // '019aa3c1-5b7e-7a12-8c3d-0f1e2d3c4b5a'
 */
export function uuidV7(): string {
  shared ??= new UuidV7Generator()
  return shared.next()
}

/**
 * When a uuid of version 7 was made, milliseconds since 1970.
 * @throws IdError INVALID_ID
 * @example
 * new Date(uuidV7TimeMs(id))
 */
export function uuidV7TimeMs(uuid: string): number {
  if (uuidText.test(uuid)) return Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16)
  throw new IdError({
    code: 'INVALID_ID',
    message: 'The text is not a uuid of version 7.',
    hint: 'Pass a uuid as it was generated; other versions carry no time.',
  })
}
