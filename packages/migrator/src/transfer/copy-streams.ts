import { once } from 'node:events'
import type { FleetConnection } from '@shardwright/core'
import { type CopyStreamQuery, type CopyToStreamQuery, from as copyFrom, to as copyTo } from 'pg-copy-streams'
import type { RowSink } from './route-rows.ts'

interface CopyingClient {
  query(stream: CopyToStreamQuery): CopyToStreamQuery
  query(stream: CopyStreamQuery): CopyStreamQuery
}

const clientOf = (connection: FleetConnection) => connection.client as unknown as CopyingClient

/** The rows of a COPY ... TO STDOUT, as fast as they are taken. */
export function rowsOf(connection: FleetConnection, sql: string): AsyncIterable<Buffer> {
  return clientOf(connection).query(copyTo(sql))
}

/** A COPY ... FROM STDIN that is under way. What the server says against a row comes out of the next call. */
export class CopyingIn implements RowSink {
  readonly #stream: CopyStreamQuery
  #failure: unknown

  constructor(connection: FleetConnection, sql: string) {
    this.#stream = clientOf(connection).query(copyFrom(sql))
    this.#stream.on('error', (error) => {
      this.#failure ??= error
    })
  }

  async write(rows: Buffer): Promise<void> {
    this.#throwFailure()
    const written = Promise.withResolvers<void>()
    this.#stream.write(rows, (error) => (error ? written.reject(error) : written.resolve()))
    await written.promise.catch((error: unknown) => {
      throw this.#failure ?? error
    })
  }

  /** Ends it; the number of rows that the server took. */
  async finish(): Promise<bigint> {
    this.#throwFailure()
    const finished = once(this.#stream, 'finish')
    this.#stream.end()
    await finished.catch((error: unknown) => {
      throw this.#failure ?? error
    })
    return BigInt(this.#stream.rowCount)
  }

  /** Makes the server drop what it has taken. */
  abandon(): void {
    this.#stream.destroy()
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure
  }
}
