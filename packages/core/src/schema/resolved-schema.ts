import type { Family } from './family.ts'
import { FrozenMap } from './frozen-map.ts'
import type { Lookup } from './lookup.ts'
import type { Naming } from './naming.ts'
import type { Schema } from './schema.ts'
import type { TablePlacement } from './table-placement.ts'

interface SchemaParts {
  readonly tables: readonly TablePlacement[]
  readonly families: ReadonlyMap<string, Family>
  readonly lookups: readonly Lookup[]
  readonly naming: Naming
  readonly defaultSchema: string
}

/** The value behind `Schema`: frozen, with a lookup by physical names. */
export class ResolvedSchema<Database, Placements> implements Schema<Database, Placements> {
  readonly tables: readonly TablePlacement[]
  readonly families: ReadonlyMap<string, Family>
  readonly lookups: readonly Lookup[]
  readonly naming: Naming
  readonly defaultSchema: string
  readonly #bySchema = new Map<string, Map<string, TablePlacement>>()
  readonly #byDefault: ReadonlyMap<string, TablePlacement>

  constructor({ tables, families, lookups, naming, defaultSchema }: SchemaParts) {
    this.tables = Object.freeze([...tables])
    this.families = new FrozenMap(families)
    this.lookups = Object.freeze([...lookups])
    this.naming = naming
    this.defaultSchema = defaultSchema
    for (const table of tables) this.#tablesIn(table.schema).set(table.table, table)
    this.#byDefault = this.#tablesIn(defaultSchema)
    Object.freeze(this)
  }

  find(table: string, schema?: string): TablePlacement | undefined {
    return schema === undefined ? this.#byDefault.get(table) : this.#bySchema.get(schema)?.get(table)
  }

  #tablesIn(schema: string): Map<string, TablePlacement> {
    const known = this.#bySchema.get(schema)
    if (known) return known
    const made = new Map<string, TablePlacement>()
    this.#bySchema.set(schema, made)
    return made
  }
}
