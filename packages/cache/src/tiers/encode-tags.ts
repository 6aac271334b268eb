import { CacheError } from '../errors/cache-error.ts'
import type { TagVersion } from './entry.ts'

/** What fits into the 16 bits that a frame has for its length. */
const mostBytes = 0xffff
const empty = Buffer.alloc(0)

/** The tags of an entry as a shared tier keeps them. @throws CacheError CACHE_TAGS */
export function encodeTags(tags: readonly TagVersion[]): Buffer {
  if (tags.length === 0) return empty
  const bytes = Buffer.from(JSON.stringify(tags.map((tag) => [tag.key, tag.version])))
  if (bytes.length <= mostBytes) return bytes
  throw new CacheError({
    code: 'CACHE_TAGS',
    message: `The ${tags.length} tags of an entry take ${bytes.length} bytes, and an entry keeps at most ${mostBytes}.`,
    hint: 'Give the entry fewer or shorter tags: one of a list instead of one of each row in it.',
    details: { tags: tags.length, bytes: bytes.length },
  })
}

export function decodeTags(bytes: Buffer): readonly TagVersion[] {
  if (bytes.length === 0) return noTags
  const pairs = JSON.parse(bytes.toString('utf8')) as [string, string][]
  return pairs.map(([key, version]) => ({ key, version }))
}

const noTags: readonly TagVersion[] = Object.freeze([])
