import type { CacheKey } from '../cache/cache-key.ts'

type Row = Readonly<Record<string, unknown>>

export interface RowKeysInit {
  readonly name: string
  readonly idColumns: readonly string[]
  readonly keyColumn: string | undefined
}

/** The cache keys and tags of one table's rows. */
export class RowKeys {
  readonly #init: RowKeysInit

  constructor(init: RowKeysInit) {
    this.#init = init
  }

  /** Of one row, from its id columns and shard key. */
  row(id: Row): CacheKey {
    const { name, idColumns } = this.#init
    return { name, tenant: this.#tenant(id), id: idColumns.map((column) => idText(id[column])) }
  }

  /** Of a list, from what was asked for. */
  list(filter: Row, options: unknown): CacheKey {
    return { name: `${this.#init.name}.list`, tenant: this.#tenant(filter), id: [filter, options] }
  }

  /** Ended by every write to the rows of one shard key; of a table without one, by every write. */
  tags(row: Row): readonly string[] {
    const { keyColumn, name } = this.#init
    if (keyColumn === undefined) return [name]
    const value = row[keyColumn]
    const values: readonly unknown[] = Array.isArray(value) ? value : [value]
    return [...new Set(values.map((one) => `${name}:${JSON.stringify(idText(one))}`))]
  }

  /**
   * Whether the server spells the row's id as the caller did. `'AB..'` and `'ab..'` may be one uuid: what was asked for in
   * another spelling is not kept, because a write would not find it. Without a row, only plain spellings are sure.
   */
  spelledAsStored(id: Row, row: Row | undefined): boolean {
    const { idColumns, keyColumn } = this.#init
    const columns = keyColumn === undefined ? idColumns : [...idColumns, keyColumn]
    return columns.every((column) => (row ? idText(id[column]) === idText(row[column]) : isPlain(idText(id[column]))))
  }

  /** The same for the shard keys of a list. */
  listSpelledAsStored(filter: Row, rows: readonly Row[]): boolean {
    const { keyColumn } = this.#init
    if (keyColumn === undefined) return true
    const stored = new Set(rows.map((row) => idText(row[keyColumn])))
    const asked = Array.isArray(filter[keyColumn]) ? (filter[keyColumn] as unknown[]) : [filter[keyColumn]]
    const spelled = new Set(asked.map(idText))
    return [...stored].every((key) => spelled.has(key)) && [...spelled].every((key) => stored.has(key) || isPlain(key))
  }

  #tenant(row: Row): unknown {
    const { keyColumn } = this.#init
    if (keyColumn === undefined) return null
    const value = row[keyColumn]
    return Array.isArray(value) ? value.map(idText) : idText(value)
  }
}

/** `1`, `1n` and `'1'` name the same row. */
function idText(value: unknown): unknown {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  if (value instanceof Date) return value.toISOString()
  return value
}

/** False for a text that a uuid, number or date column may read as another one: upper case, spaces, leading zeros. */
function isPlain(value: unknown): boolean {
  if (typeof value !== 'string') return true
  if (/^\s|\s$/.test(value)) return false
  if (/^\{?[\da-f]{4}-?[\da-f]{4}-?[\da-f]{4}/i.test(value)) return lowerUuid.test(value)
  return !/^[+-]?[\d.]/.test(value) || /^(0|-?[1-9]\d*)$/.test(value)
}

const lowerUuid = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/
