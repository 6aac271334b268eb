import { createHash } from 'node:crypto'

/** PostgreSQL keeps 63 bytes of a name and cuts the rest silently, which would make two names one. */
export const maxNameBytes = 63

/** `a"b` to `"a""b"`. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

export function qualified(schema: string, name: string): string {
  return `${identifier(schema)}.${identifier(name)}`
}

/** A string literal. Backslashes need the E form unless standard_conforming_strings is on; our sessions pin it on. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/**
 * `base` + `suffix`, within 63 bytes. A base that is too long is cut on a character boundary and gets eight digits of
 * its hash, so that names which differ only in what was cut stay different.
 */
export function fitName(base: string, suffix: string): string {
  const whole = base + suffix
  if (Buffer.byteLength(whole) <= maxNameBytes) return whole
  const hash = `_${createHash('sha256').update(base).digest('hex').slice(0, 8)}`
  const room = maxNameBytes - Buffer.byteLength(hash + suffix)
  let kept = ''
  let bytes = 0
  for (const character of base) {
    bytes += Buffer.byteLength(character)
    if (bytes > room) break
    kept += character
  }
  return kept + hash + suffix
}
