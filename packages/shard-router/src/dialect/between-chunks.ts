import type { CompiledQuery, ConnectionProvider, DatabaseConnection, QueryResult } from 'kysely'

/** Provides a shared connection for a stream without keeping it: each chunk is read when it is the stream's turn. */
export class BetweenChunks implements ConnectionProvider {
  readonly #provider: ConnectionProvider

  constructor(provider: ConnectionProvider) {
    this.#provider = provider
  }

  async provideConnection<T>(consumer: (connection: DatabaseConnection) => Promise<T>): Promise<T> {
    const provider = this.#provider
    return await consumer({
      executeQuery: (query, options) =>
        provider.provideConnection((connection) => connection.executeQuery(query, options)),
      streamQuery: (query, chunkSize, options) => chunksOf(provider, query, chunkSize, options),
    })
  }
}

type StreamOptions = Parameters<DatabaseConnection['streamQuery']>[2]

async function* chunksOf<R>(
  provider: ConnectionProvider,
  query: CompiledQuery,
  chunkSize: number,
  options: StreamOptions,
): AsyncIterableIterator<QueryResult<R>> {
  let chunks: AsyncIterableIterator<QueryResult<R>> | undefined
  try {
    for (;;) {
      const step = await provider.provideConnection((connection) => {
        chunks ??= connection.streamQuery<R>(query, chunkSize, options)
        return chunks.next()
      })
      if (step.done === true) return
      yield step.value
    }
  } finally {
    // Without a turn: that of a transaction which is over never comes, and the session keeps its own order.
    await chunks?.return?.()
  }
}
