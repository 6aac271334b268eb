import { createHash } from 'node:crypto'

/** A short name for one SQL text, the same in every process. */
export function shapeLabel(sql: string): string {
  return createHash('sha1').update(sql).digest('hex').slice(0, 8)
}
