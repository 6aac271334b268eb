import murmurHash3 from 'murmurhash3js'
import { canonicalKey } from './canonical-key.ts'
import type { KeyType, KeyValue } from './key-type.ts'

const ascii = /^[\0-\x7f]*$/

/**
 * murmur3 x86 32-bit, seed 0, over the UTF-8 bytes of the key's canonical text; unsigned.
 * @throws KeyError INVALID_SHARD_KEY
 * @example
 * murmur3('text', 'hello') // 613153351
 */
export function murmur3(type: KeyType, value: KeyValue): number {
  return murmurHash3.x86.hash32(byteString(canonicalKey(type, value)))
}

/** One character per UTF-8 byte: murmurhash3js keeps only the lower 8 bits of each UTF-16 unit. */
function byteString(text: string): string {
  return ascii.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1')
}
