import type { PgField } from '@shardwright/core'

type Parser = (text: string) => unknown

/** Where parsers of column types come from: `pg.types`, or an override. */
export interface TypeParsers {
  getTypeParser(oid: number, format: 'text'): Parser
}

/** A RowDescription turned into something that reads DataRows; made once for a prepared statement. */
export interface RowReader {
  readonly fields: readonly PgField[]
  /** One row as an object; the last of two columns of one name wins, as in pg. */
  readObject(values: readonly (string | null)[]): Record<string, unknown>
}

export function createRowReader(description: readonly PgField[], types: TypeParsers): RowReader {
  const fields = Object.freeze(
    description.map(({ name, dataTypeID, dataTypeModifier }) => Object.freeze({ name, dataTypeID, dataTypeModifier })),
  )
  const names = fields.map((field) => field.name)
  const parsers = fields.map((field) => types.getTypeParser(field.dataTypeID, 'text'))
  // A null-prototype template spread into a literal keeps `__proto__` an ordinary column and the shape stable.
  const template: Record<string, unknown> = Object.create(null)
  for (const name of names) template[name] = null
  const prototype = { ...template }

  return {
    fields,
    readObject(values) {
      const row: Record<string, unknown> = { ...prototype }
      for (let index = 0; index < values.length; index++) {
        const value = values[index]
        if (value !== null && value !== undefined) row[names[index]!] = parsers[index]!(value)
        else row[names[index]!] = null
      }
      return row
    },
  }
}

/** True when two readers of one lane were made of the same description. */
export function readsAlike(a: RowReader, b: RowReader): boolean {
  if (a.fields.length !== b.fields.length) return false
  return a.fields.every((field, index) => {
    const other = b.fields[index]!
    return (
      field.name === other.name &&
      field.dataTypeID === other.dataTypeID &&
      field.dataTypeModifier === other.dataTypeModifier
    )
  })
}

export const emptyFields: readonly PgField[] = Object.freeze([])

/** Of a statement that returns no rows. */
export const emptyReader: RowReader = Object.freeze({ fields: emptyFields, readObject: () => ({}) })
