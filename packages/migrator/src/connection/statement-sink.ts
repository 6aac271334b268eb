import type { QueryResult } from 'kysely'

/** Where the statements of a migration go: to a shard, or onto paper. */
export interface StatementSink {
  execute(sql: string, parameters: readonly unknown[]): Promise<QueryResult<unknown>>
  begin(): Promise<void>
  commit(): Promise<void>
  rollback(): Promise<void>
}
