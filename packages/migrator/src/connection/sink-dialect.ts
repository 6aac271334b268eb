import {
  type DatabaseConnection,
  type Dialect,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
} from 'kysely'
import { MigrationError } from '../errors/migration-error.ts'
import type { StatementSink } from './statement-sink.ts'

/** A Kysely whose statements all go to one sink, in order. Destroying it closes nothing. */
export function kyselyOver(sink: StatementSink): Kysely<unknown> {
  const connection = connectionOver(sink)
  const driver: Driver = {
    init: async () => {},
    acquireConnection: async () => connection,
    beginTransaction: () => sink.begin(),
    commitTransaction: () => sink.commit(),
    rollbackTransaction: () => sink.rollback(),
    releaseConnection: async () => {},
    destroy: async () => {},
  }
  const dialect: Dialect = {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => driver,
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  }
  return new Kysely<unknown>({ dialect })
}

function connectionOver(sink: StatementSink): DatabaseConnection {
  return {
    executeQuery: async <R>(query: { sql: string; parameters: readonly unknown[] }) =>
      (await sink.execute(query.sql, query.parameters)) as { rows: R[] },
    // biome-ignore lint/correctness/useYield: it refuses before the first row
    streamQuery: async function* () {
      throw new MigrationError({
        code: 'INVALID_MIGRATION',
        message: 'A migration cannot stream a query.',
        hint: 'Move rows in batches with INSERT ... SELECT or UPDATE ... WHERE id IN (SELECT ... LIMIT n).',
      })
    },
  }
}
