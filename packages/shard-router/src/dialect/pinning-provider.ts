import type { ConnectionProvider, DatabaseConnection } from 'kysely'
import { LogicalConnection } from './logical-connection.ts'

type Options = Parameters<ConnectionProvider['provideConnection']>[1]

/** Provides the connection of a transaction or of `connection().execute()`, and tells it that it is kept. */
export class PinningProvider implements ConnectionProvider {
  readonly #provider: ConnectionProvider

  constructor(provider: ConnectionProvider) {
    this.#provider = provider
  }

  provideConnection<T>(consumer: (connection: DatabaseConnection) => Promise<T>, options?: Options): Promise<T> {
    return this.#provider.provideConnection((connection) => {
      if (connection instanceof LogicalConnection) connection.pin()
      return consumer(connection)
    }, options)
  }
}
