/** A value as it came: its type and its wire text. */
export class TypedValue {
  readonly type: string
  readonly text: string

  constructor(type: string, text: string) {
    this.type = type
    this.text = text
  }
}

const firstUserOid = 16_384

/** For `pg`: every value with its type's oid, so that a comparison sees types too. User-defined ones differ by database. */
export const typedValues = Object.freeze({
  getTypeParser(oid: number) {
    const type = oid < firstUserOid ? String(oid) : 'user'
    return (text: string): TypedValue => new TypedValue(type, text)
  },
})
