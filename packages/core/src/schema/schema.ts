import type { Family } from './family.ts'
import type { Lookup } from './lookup.ts'
import type { TablePlacement } from './table-placement.ts'

declare const schemaTypes: unique symbol

/**
 * Where every table of `Database` lives: a frozen value, made by `defineSchema`.
 * `Placements` carries the placements to the types (`ConfinedDatabase`, `KeyOf`, ...).
 */
export interface Schema<Database = unknown, Placements = unknown> {
  /** Those of lookups too. */
  readonly tables: readonly TablePlacement[]
  /** How names of `Database` become names on the server. */
  readonly naming: 'as-is' | 'snake_case'
  /** The schema of unqualified tables, `public` unless said otherwise. */
  readonly defaultSchema: string
  /** By PHYSICAL names, as they stand in Kysely's tree. No `schema` means `defaultSchema`. */
  find(table: string, schema?: string): TablePlacement | undefined
  readonly families: ReadonlyMap<string, Family>
  readonly lookups: readonly Lookup[]
  /** Types only; never set. */
  readonly [schemaTypes]?: { readonly database: Database; readonly placements: Placements }
}

/** The `Database` that a schema was defined for. */
export type DatabaseOf<S> = S extends { readonly [schemaTypes]?: { readonly database: infer D } } ? D : never

/** The placements that a schema was defined with. */
export type PlacementsOf<S> = S extends { readonly [schemaTypes]?: { readonly placements: infer P } } ? P : never
