import type { Kysely } from 'kysely'
import { createReferenceTable, type MigrationContext, seedReference } from '../../src/index.ts'

/** The reference table of these tests, with a few rows. */
export async function createCurrencies(
  db: Kysely<unknown>,
  context: MigrationContext,
  rows: readonly { readonly code: string; readonly digits: number }[] = [
    { code: 'EUR', digits: 2 },
    { code: 'JPY', digits: 0 },
  ],
): Promise<void> {
  await createReferenceTable(db, context, 'currencies', (t) =>
    t.addColumn('code', 'text', (c) => c.primaryKey()).addColumn('digits', 'integer'),
  )
  await seedReference(db, context, 'currencies', ['code'], rows)
}
