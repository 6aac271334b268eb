import { createHash } from 'node:crypto'

/** sha256 of a migration's source; line endings and a byte order mark do not count. */
export function checksumOf(source: string): string {
  const text = source.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n')
  return createHash('sha256').update(text, 'utf8').digest('hex')
}
