import { z } from 'zod'
import { SchemaError } from '../errors/schema-error.ts'
import type { Family } from './family.ts'
import type { LookupDefinition } from './lookup.ts'
import { physicalNames } from './naming.ts'
import type { Placement } from './placement.ts'
import { resolveLookups } from './resolve-lookups.ts'
import { ResolvedSchema } from './resolved-schema.ts'
import type { Schema } from './schema.ts'
import type { CheckedLookups, CheckedPlacements, EveryTablePlaced } from './schema-checks.ts'
import type { ShardedTable, TablePlacement } from './table-placement.ts'

export interface SchemaOptions {
  /** `snake_case` for a `Database` in camelCase used with Kysely's CamelCasePlugin. Default: `as-is`. */
  readonly naming?: 'as-is' | 'snake_case'
  /** The schema of unqualified tables. Default: `public`. */
  readonly defaultSchema?: string
}

const optionsShape = z.strictObject({
  naming: z.enum(['as-is', 'snake_case']).default('as-is'),
  defaultSchema: z.string().min(1).default('public'),
})

const placementShape = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('sharded'), key: z.string().min(1), family: z.string().min(1), fanOut: z.boolean() }),
  z.object({ kind: z.literal('reference') }),
  z.object({ kind: z.literal('single'), shard: z.string().min(1) }),
])

type ResolvedOptions = z.output<typeof optionsShape>

/**
 * Says where every table of `Database` lives. Every table needs a placement, and only `ShardKey` columns can be keys.
 * Lookups lead from another column to the shard key.
 * @throws SchemaError MISSING_PLACEMENT, INVALID_SCHEMA, DUPLICATE_TABLE, INVALID_LOOKUP
 * @example
 * const schema = defineSchema<Database>()({
 *   tables: { wallets: sharded('festival_id'), tickets: sharded('user_id'), festivals: reference() },
 *   lookups: [lookup({ table: 'tickets', column: 'code', to: 'user_id', unique: true })],
 * })
 */
export function defineSchema<Database>(options: SchemaOptions = {}) {
  const resolved = resolveOptions(options)
  return <
    const P extends EveryTablePlaced<Database>,
    const L extends readonly LookupDefinition[] = readonly [],
  >(definition: {
    readonly tables: P & CheckedPlacements<Database, P>
    readonly lookups?: L & CheckedLookups<Database, P, L>
  }): Schema<Database, P> => {
    const placed = placeTables(definition.tables, resolved)
    const lookups = resolveLookups(definition.lookups, placed, physicalNames(resolved.naming))
    const tables = [...placed, ...lookups.map(({ entries }) => entries)]
    return new ResolvedSchema<Database, P>({ ...resolved, tables, families: familiesOf(tables), lookups })
  }
}

function resolveOptions(options: SchemaOptions): ResolvedOptions {
  const parsed = optionsShape.safeParse(options)
  if (parsed.success) return parsed.data
  throw new SchemaError({
    code: 'INVALID_SCHEMA',
    message: `defineSchema's options are not usable: ${z.prettifyError(parsed.error)}`,
    hint: "The options are { naming?: 'as-is' | 'snake_case', defaultSchema?: string }.",
  })
}

function placeTables(placements: unknown, options: ResolvedOptions): TablePlacement[] {
  if (typeof placements !== 'object' || placements === null || Object.keys(placements).length === 0) {
    throw new SchemaError({
      code: 'INVALID_SCHEMA',
      message: 'A schema needs at least one table.',
      hint: "Pass { tables: { wallets: sharded('festival_id') } }.",
    })
  }
  const physical = physicalNames(options.naming)
  const tables = Object.entries(placements).map(([name, placement]) =>
    placeTable(name, checkPlacement(name, placement), physical, options.defaultSchema),
  )
  refuseDuplicates(tables)
  return tables
}

function checkPlacement(name: string, placement: unknown): Placement {
  if (placement === undefined || placement === null) {
    throw new SchemaError({
      code: 'MISSING_PLACEMENT',
      message: `Table '${name}' has no placement.`,
      hint: 'Say where it lives: sharded(key), reference() or single(shard).',
      details: { table: name },
    })
  }
  const parsed = placementShape.safeParse(placement)
  if (parsed.success) return parsed.data
  throw new SchemaError({
    code: 'INVALID_SCHEMA',
    message: `The placement of table '${name}' is not usable: ${z.prettifyError(parsed.error)}`,
    hint: 'Build placements with sharded(key), reference() or single(shard).',
    details: { table: name },
  })
}

function placeTable(
  name: string,
  placement: Placement,
  physical: (name: string) => string,
  defaultSchema: string,
): TablePlacement {
  const dot = name.indexOf('.')
  const schema = dot === -1 ? defaultSchema : physical(name.slice(0, dot))
  const table = physical(name.slice(dot + 1))
  if (table === '' || schema === '') {
    throw new SchemaError({
      code: 'INVALID_SCHEMA',
      message: `'${name}' is not a table name.`,
      details: { table: name },
    })
  }
  if (placement.kind === 'reference') return Object.freeze({ kind: 'reference', name, table, schema })
  if (placement.kind === 'single') return Object.freeze({ kind: 'single', name, table, schema, shard: placement.shard })
  const { key: keyName, family, fanOut } = placement
  return Object.freeze({ kind: 'sharded', name, table, schema, key: physical(keyName), keyName, family, fanOut })
}

function refuseDuplicates(tables: readonly TablePlacement[]): void {
  const seen = new Map<string, TablePlacement>()
  for (const table of tables) {
    const physical = JSON.stringify([table.schema, table.table])
    const first = seen.get(physical)
    if (first) {
      throw new SchemaError({
        code: 'DUPLICATE_TABLE',
        message: `'${first.name}' and '${table.name}' are the same table ${table.schema}.${table.table}.`,
        hint: 'Keep one of the two names in Database.',
        details: { tables: [first.name, table.name] },
      })
    }
    seen.set(physical, table)
  }
}

function familiesOf(tables: readonly TablePlacement[]): Map<string, Family> {
  const grouped = new Map<string, ShardedTable[]>()
  for (const table of tables) {
    if (table.kind !== 'sharded') continue
    const group = grouped.get(table.family)
    if (group) group.push(table)
    else grouped.set(table.family, [table])
  }
  const families = new Map<string, Family>()
  for (const [name, group] of grouped) families.set(name, Object.freeze({ name, tables: Object.freeze(group) }))
  return families
}
