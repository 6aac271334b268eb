import { type Kysely, sql } from 'kysely'
import { PlacementError } from '../errors/placement-error.ts'
import { whyNotLocal } from '../lint/rules/foreign-key-across-families.ts'
import type { MigrationContext } from '../migration/migration-context.ts'
import { quoteQualified } from '../sql/quote.ts'
import { isHere, requireAnyPlacement } from './require-context.ts'

export interface ForeignKeyOptions {
  readonly name?: string
  readonly onDelete?: 'cascade' | 'restrict' | 'set null' | 'no action'
  /**
   * Proves it at once, while writers wait: for tables without rows, and before PostgreSQL 18 for partitioned ones, which take
   * no other. Default false: NOT VALID, validate it later.
   */
  readonly validate?: boolean
}

/**
 * Adds a foreign key that one shard can check by itself: inside a family with the key among its columns, or to a
 * reference table. NOT VALID by default: new rows are checked at once, old ones by `validateConstraint` later.
 *
 * @throws PlacementError FOREIGN_KEY_ACROSS_FAMILIES, PLACEMENT_UNKNOWN, CONTEXT_INCOMPLETE
 * @example
 * await addForeignKey(db, context, ['entries', ['festival_id', 'wallet_id']], ['wallets', ['festival_id', 'id']])
 */
export async function addForeignKey(
  db: Kysely<unknown>,
  context: MigrationContext,
  [fromName, columns]: readonly [table: string, columns: readonly string[]],
  [toName, referenced]: readonly [table: string, columns: readonly string[]],
  options: ForeignKeyOptions = {},
): Promise<void> {
  const from = requireAnyPlacement(context, fromName)
  const to = requireAnyPlacement(context, toName)
  const why = whyNotLocal(from, to, { columns, referenced })
  if (why !== undefined) {
    throw new PlacementError({
      code: 'FOREIGN_KEY_ACROSS_FAMILIES',
      message: `The foreign key from ${fromName} to ${toName} ${why}.`,
      hint: 'Reference a table of the same family with the shard key among the columns, or a reference table.',
      details: { from: fromName, to: toName },
    })
  }
  if (from.kind === 'single' && !isHere(from, context)) return
  const name = options.name ?? `${from.table}_${columns.join('_')}_fkey`.slice(0, 63)
  await sql`alter table ${sql.raw(quoteQualified(from.schema, from.table))} add constraint ${sql.id(name)} foreign key (${ids(columns)})
    references ${sql.raw(quoteQualified(to.schema, to.table))} (${ids(referenced)})
    on delete ${sql.raw(options.onDelete ?? 'no action')}${sql.raw(options.validate ? '' : ' not valid')}`.execute(db)
}

/**
 * Proves a NOT VALID constraint over all rows while writers go on (ShareUpdateExclusiveLock).
 *
 * @example
 * await validateConstraint(db, context, 'entries', 'entries_wallet_fkey')
 */
export async function validateConstraint(
  db: Kysely<unknown>,
  context: MigrationContext,
  name: string,
  constraint: string,
): Promise<void> {
  const { schema, table } = requireAnyPlacement(context, name)
  await sql`alter table ${sql.raw(quoteQualified(schema, table))} validate constraint ${sql.id(constraint)}`.execute(db)
}

function ids(columns: readonly string[]) {
  return sql.join(columns.map((column) => sql.id(column)))
}
