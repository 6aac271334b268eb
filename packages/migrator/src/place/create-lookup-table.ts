import { createLookupSql, dropLookupSql, type Lookup } from '@shardwright/core'
import { type Kysely, sql } from 'kysely'
import { PlacementError } from '../errors/placement-error.ts'
import type { MigrationContext } from '../migration/migration-context.ts'
import { onCitus } from './citus-placement.ts'
import { requireSchema } from './require-context.ts'

/**
 * Makes what a lookup of the schema needs on this shard: the table of its entries, and the triggers that note changes of
 * the looked up table, which has to be there with its primary key. When it has rows, deploy the services that know the
 * lookup next, then run `shardwright lookups backfill`.
 *
 * @throws PlacementError PLACEMENT_UNKNOWN, CONTEXT_INCOMPLETE, LOOKUP_ON_CITUS
 * @example
 * await createLookupTable(db, context, 'users_by_email')
 */
export async function createLookupTable(db: Kysely<unknown>, context: MigrationContext, name: string): Promise<void> {
  for (const statement of createLookupSql(requireLookup(context, name))) await sql.raw(statement).execute(db)
}

/**
 * Takes a lookup away from this shard: its triggers and its entries. Deploy services that do not know it any more first.
 *
 * @throws PlacementError PLACEMENT_UNKNOWN, CONTEXT_INCOMPLETE
 * @example
 * await dropLookupTable(db, context, 'users_by_email')
 */
export async function dropLookupTable(db: Kysely<unknown>, context: MigrationContext, name: string): Promise<void> {
  for (const statement of dropLookupSql(requireLookup(context, name))) await sql.raw(statement).execute(db)
}

function requireLookup(context: MigrationContext, name: string): Lookup {
  const { lookups } = requireSchema(context)
  if (onCitus(context)) {
    throw new PlacementError({
      code: 'LOOKUP_ON_CITUS',
      message: `The lookup '${name}' cannot be kept on Citus: a distributed table has no triggers for a whole statement.`,
      hint: 'The coordinator asks all nodes for a value by itself; keep a distributed table of values by hand for a unique one.',
      details: { lookup: name },
    })
  }
  const lookup = lookups.find((candidate) => candidate.name === name)
  if (lookup) return lookup
  throw new PlacementError({
    code: 'PLACEMENT_UNKNOWN',
    message: `The schema has no lookup '${name}'.`,
    hint: `Give it one in defineSchema: lookups: [lookup({ table, column, to })]. It has: ${lookups.map((own) => own.name).join(', ') || 'none'}.`,
    details: { lookup: name },
  })
}
