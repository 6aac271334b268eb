import { createHash } from 'node:crypto'

/** A quoted identifier: `"odd ""name"""`. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** `"schema"."name"`. */
export function qualified(schema: string, name: string): string {
  return `${identifier(schema)}.${identifier(name)}`
}

/** A string constant. */
export function literal(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`
  return text.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted
}

/** A name of at most 63 bytes that stays different from others where it had to be cut. */
export function fitName(name: string): string {
  if (Buffer.byteLength(name) <= 63) return name
  return `${Buffer.from(name).subarray(0, 50).toString('utf8').replace(/�$/, '')}_${createHash('sha256').update(name).digest('hex').slice(0, 8)}`
}
