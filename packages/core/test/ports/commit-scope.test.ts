import { type CommitScope, commitScopeOf, commitScopeSymbol } from '@shardwright/core'
import {
  type DatabaseConnection,
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
} from 'kysely'
import { expect, it } from 'vitest'

const scope: CommitScope = { afterCommit() {}, afterRollback() {}, wrote: false }

/** Gives connections that carry a scope while a transaction is open on them. */
class ScopedDriver extends DummyDriver {
  #open = false

  override async acquireConnection(): Promise<DatabaseConnection> {
    const connection = await super.acquireConnection()
    return Object.defineProperty(connection, commitScopeSymbol, { get: () => (this.#open ? scope : undefined) })
  }

  override async beginTransaction(): Promise<void> {
    this.#open = true
  }

  override async commitTransaction(): Promise<void> {
    this.#open = false
  }
}

function kysely(driver: DummyDriver): Kysely<unknown> {
  return new Kysely({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => driver,
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  })
}

it('finds the scope of a transaction, and none outside one or on a plain connection', async () => {
  const db = kysely(new ScopedDriver())
  expect(await commitScopeOf(db)).toBeUndefined()
  await db.transaction().execute(async (trx) => expect(await commitScopeOf(trx)).toBe(scope))
  expect(await commitScopeOf(db)).toBeUndefined()
  await kysely(new DummyDriver())
    .transaction()
    .execute(async (trx) => expect(await commitScopeOf(trx)).toBeUndefined())
})
