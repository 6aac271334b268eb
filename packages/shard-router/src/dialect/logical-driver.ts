import type { DatabaseConnection, Driver, QueryCompiler, TransactionSettings } from 'kysely'
import { createQueryId, IdentifierNode, RawNode } from 'kysely'
import { LogicalConnection } from './logical-connection.ts'
import type { Mode } from './mode.ts'
import type { RouterCore } from './router-core.ts'

/** Hands out logical connections: they take a socket only when a statement knows its shard. */
export class LogicalDriver implements Driver {
  readonly #core: RouterCore
  readonly #mode: Mode

  constructor(core: RouterCore, mode: Mode) {
    this.#core = core
    this.#mode = mode
  }

  async init(): Promise<void> {
    await this.#core.ready()
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    return new LogicalConnection(this.#core, this.#mode)
  }

  async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    await logical(connection).begin(settings)
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await logical(connection).commit()
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await logical(connection).rollback()
  }

  async savepoint(connection: DatabaseConnection, name: string, compile: QueryCompiler['compileQuery']): Promise<void> {
    await logical(connection).transaction?.savepoint(savepointSql('savepoint', name, compile), name)
  }

  async rollbackToSavepoint(
    connection: DatabaseConnection,
    name: string,
    compile: QueryCompiler['compileQuery'],
  ): Promise<void> {
    await logical(connection).transaction?.rollbackToSavepoint(savepointSql('rollback to', name, compile), name)
  }

  async releaseSavepoint(
    connection: DatabaseConnection,
    name: string,
    compile: QueryCompiler['compileQuery'],
  ): Promise<void> {
    await logical(connection).transaction?.releaseSavepoint(savepointSql('release', name, compile), name)
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    await logical(connection).released()
  }

  /** The router owns the connections: `router.close()` ends them. */
  async destroy(): Promise<void> {}
}

function logical(connection: DatabaseConnection): LogicalConnection {
  return connection as LogicalConnection
}

function savepointSql(command: string, name: string, compile: QueryCompiler['compileQuery']): string {
  return compile(RawNode.create([`${command} `, ''], [IdentifierNode.create(name)]), createQueryId()).sql
}
