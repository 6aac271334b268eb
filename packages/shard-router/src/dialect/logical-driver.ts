import type { DatabaseConnection, Driver, QueryCompiler, TransactionSettings } from 'kysely'
import { CompiledQuery, createQueryId, IdentifierNode, RawNode } from 'kysely'
import { beginSql } from '../transaction/router-transaction.ts'
import { withCallersStack } from './callers-stack.ts'
import { LogicalConnection } from './logical-connection.ts'
import type { Mode } from './mode.ts'
import type { ConnectionUse } from './named-shard.ts'
import type { RouterCore } from './router-core.ts'

/** Hands out logical connections: they take a socket only when a statement knows its shard. */
export class LogicalDriver implements Driver {
  readonly #core: RouterCore
  readonly #mode: Mode
  readonly #use: ConnectionUse

  /** `single`: who keeps a connection tells it. `unknown`: Kysely's own executor does not. */
  constructor(core: RouterCore, mode: Mode, use: ConnectionUse) {
    this.#core = core
    this.#mode = mode
    this.#use = use
  }

  async init(): Promise<void> {
    try {
      await this.#core.ready()
    } catch (error) {
      throw withCallersStack(error)
    }
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    return new LogicalConnection(this.#core, this.#mode, this.#use)
  }

  async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    const plain = !settings.isolationLevel && !settings.accessMode
    await perform(connection, plain ? 'begin' : beginSql(settings), (own) => own.begin(settings))
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await perform(connection, 'commit', (own) => own.commit())
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await perform(connection, 'rollback', (own) => own.rollback())
  }

  async savepoint(connection: DatabaseConnection, name: string, compile: QueryCompiler['compileQuery']): Promise<void> {
    const query = savepointQuery('savepoint', name, compile)
    await performQuery(connection, query, (own) => own.transaction?.savepoint(query.sql, name))
  }

  async rollbackToSavepoint(
    connection: DatabaseConnection,
    name: string,
    compile: QueryCompiler['compileQuery'],
  ): Promise<void> {
    const query = savepointQuery('rollback to', name, compile)
    await performQuery(connection, query, (own) => own.transaction?.rollbackToSavepoint(query.sql, name))
  }

  async releaseSavepoint(
    connection: DatabaseConnection,
    name: string,
    compile: QueryCompiler['compileQuery'],
  ): Promise<void> {
    const query = savepointQuery('release', name, compile)
    await performQuery(connection, query, (own) => own.transaction?.releaseSavepoint(query.sql, name))
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    await (connection as LogicalConnection).released()
  }

  /** The router owns the connections: `router.close()` ends them. */
  async destroy(): Promise<void> {}
}

type Action = (connection: LogicalConnection) => Promise<void> | undefined

function perform(connection: DatabaseConnection, sql: string, action: Action): Promise<void> {
  return performQuery(connection, CompiledQuery.raw(sql), action)
}

/** By way of `executeQuery`, which is where Kysely's log listens. */
async function performQuery(connection: DatabaseConnection, query: CompiledQuery, action: Action): Promise<void> {
  const own = connection as LogicalConnection
  own.expect(query, () => action(own))
  await connection.executeQuery(query)
}

function savepointQuery(command: string, name: string, compile: QueryCompiler['compileQuery']): CompiledQuery {
  return compile(RawNode.create([`${command} `, ''], [IdentifierNode.create(name)]), createQueryId())
}
