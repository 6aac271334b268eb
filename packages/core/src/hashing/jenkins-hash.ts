// PostgreSQL's hash_bytes, hash_bytes_extended, hash_uint32 and hash_uint32_extended (Bob Jenkins' lookup3).
// No BigInt and no allocation: this runs once per statement.

/** The seed of PostgreSQL's partition hash, 0x7A5B22367996DCFD, in halves. */
const seedHigh = 0x7a5b2236
const seedLow = 0x7996dcfd | 0
const start = (0x9e3779b9 + 3923095) | 0

let a = 0
let b = 0
let c = 0

/** Upper half of the last extended hash, as signed 32 bits; the functions return the lower half. */
export function lastHighWord(): number {
  return b
}

/** Hash of one 32-bit word. `seeded`: with the partition seed; otherwise the plain 32-bit function. Signed result. */
export function hashWord(word: number, seeded: boolean): number {
  begin(4, seeded)
  a = (a + word) | 0
  finish()
  return c
}

/** Hash of the first `length` bytes. Signed result. */
export function hashBytes(bytes: Uint8Array, length: number, seeded: boolean): number {
  begin(length, seeded)
  let at = 0
  for (; length - at >= 12; at += 12) {
    a = (a + word(bytes, at)) | 0
    b = (b + word(bytes, at + 4)) | 0
    c = (c + word(bytes, at + 8)) | 0
    mix()
  }
  addTail(bytes, at, length)
  finish()
  return c
}

function begin(length: number, seeded: boolean): void {
  a = b = c = (start + length) | 0
  if (!seeded) return
  a = (a + seedHigh) | 0
  b = (b + seedLow) | 0
  mix()
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
}

function addTail(bytes: Uint8Array, at: number, length: number): void {
  const left = length - at
  for (let i = 0; i < left; i++) {
    const byte = bytes[at + i]!
    if (i < 4) a = (a + (byte << (i * 8))) | 0
    else if (i < 8) b = (b + (byte << ((i - 4) * 8))) | 0
    // The lowest byte of c is reserved for the length.
    else c = (c + (byte << ((i - 7) * 8))) | 0
  }
}

function mix(): void {
  a = (a - c) ^ ((c << 4) | (c >>> 28))
  c = (c + b) | 0
  b = (b - a) ^ ((a << 6) | (a >>> 26))
  a = (a + c) | 0
  c = (c - b) ^ ((b << 8) | (b >>> 24))
  b = (b + a) | 0
  a = (a - c) ^ ((c << 16) | (c >>> 16))
  c = (c + b) | 0
  b = (b - a) ^ ((a << 19) | (a >>> 13))
  a = (a + c) | 0
  c = (c - b) ^ ((b << 4) | (b >>> 28))
  b = (b + a) | 0
}

function finish(): void {
  c = ((c ^ b) - ((b << 14) | (b >>> 18))) | 0
  a = ((a ^ c) - ((c << 11) | (c >>> 21))) | 0
  b = ((b ^ a) - ((a << 25) | (a >>> 7))) | 0
  c = ((c ^ b) - ((b << 16) | (b >>> 16))) | 0
  a = ((a ^ c) - ((c << 4) | (c >>> 28))) | 0
  b = ((b ^ a) - ((a << 14) | (a >>> 18))) | 0
  c = ((c ^ b) - ((b << 24) | (b >>> 8))) | 0
}
