import type { TypeParsers } from './row-reader.ts'

const oids = Object.freeze({ bool: 16, int8: 20, int2: 21, int4: 23, oid: 26, json: 114, jsonb: 3802 })

function asText(text: string): string {
  return text
}

/**
 * Parsers for what the router itself reads. The caller's own (`pool.types`, or `pg.types` changed for the whole process)
 * are for the caller's rows: a bigint as a number, or JSON left as text, must not mislead a read of the catalog.
 */
export const factTypes: TypeParsers = Object.freeze({
  getTypeParser(oid: number) {
    switch (oid) {
      case oids.bool:
        return (text: string) => text === 't'
      case oids.int2:
      case oids.int4:
      case oids.oid:
        return Number
      case oids.json:
      case oids.jsonb:
        return JSON.parse as (text: string) => unknown
      default:
        return asText
    }
  },
})
