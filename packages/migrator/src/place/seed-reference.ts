import { type Kysely, sql } from 'kysely'
import type { MigrationContext } from '../migration/migration-context.ts'
import { quoteQualified } from '../sql/quote.ts'
import { requirePlacement } from './require-context.ts'

/**
 * Writes the same rows into a reference table on every shard; a row whose `key` is there is updated.
 * The values are computed once, by the caller: a default like now() on the server would differ per shard.
 *
 * @throws PlacementError PLACEMENT_UNKNOWN, CONTEXT_INCOMPLETE
 * @example
 * await seedReference(db, context, 'currencies', ['code'], [{ code: 'EUR', digits: 2 }])
 */
export async function seedReference(
  db: Kysely<unknown>,
  context: MigrationContext,
  name: string,
  key: readonly string[],
  rows: readonly Readonly<Record<string, unknown>>[],
): Promise<void> {
  const { schema, table } = requirePlacement(context, name, 'reference')
  for (const row of rows) {
    const columns = Object.keys(row)
    const updates = columns.filter((column) => !key.includes(column))
    const update = sql.join(updates.map((column) => sql`${sql.id(column)} = excluded.${sql.id(column)}`))
    await sql`insert into ${sql.raw(quoteQualified(schema, table))} (${sql.join(columns.map((column) => sql.id(column)))})
      values (${sql.join(columns.map((column) => row[column]))})
      on conflict (${sql.join(key.map((column) => sql.id(column)))}) do ${updates.length === 0 ? sql`nothing` : sql`update set ${update}`}`.execute(
      db,
    )
  }
}
