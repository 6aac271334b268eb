import {
  type CompiledQuery,
  type ConnectionProvider,
  DefaultQueryExecutor,
  type DialectAdapter,
  type KyselyPlugin,
  type QueryCompiler,
  type QueryResult,
} from 'kysely'
import { BetweenChunks } from './between-chunks.ts'
import { PinningProvider } from './pinning-provider.ts'

interface ExecutorParts {
  readonly compiler: QueryCompiler
  readonly adapter: DialectAdapter
  readonly provider: ConnectionProvider
  readonly plugins: readonly KyselyPlugin[]
  /** True within a transaction or `connection().execute()`, where many statements share one connection. */
  readonly pinned: boolean
}

/**
 * Kysely's executor, with streams that leave their connection free between two chunks: Kysely itself keeps the connection
 * of a transaction until the stream is over, so that a statement in the middle would wait for ever.
 */
export class RouterExecutor extends DefaultQueryExecutor {
  readonly #parts: ExecutorParts

  constructor(parts: ExecutorParts) {
    super(parts.compiler, parts.adapter, parts.provider, [...parts.plugins])
    this.#parts = parts
  }

  override stream<R>(
    query: CompiledQuery,
    chunkSize: number,
    options?: Parameters<DefaultQueryExecutor['stream']>[2],
  ): AsyncIterableIterator<QueryResult<R>> {
    if (!this.#parts.pinned) return super.stream(query, chunkSize, options)
    const { compiler, adapter, provider, plugins } = this.#parts
    return new DefaultQueryExecutor(compiler, adapter, new BetweenChunks(provider), [...plugins]).stream(
      query,
      chunkSize,
      options,
    )
  }

  override withPlugins(plugins: readonly KyselyPlugin[]): RouterExecutor {
    return this.#with({ plugins: [...this.#parts.plugins, ...plugins] })
  }

  override withPlugin(plugin: KyselyPlugin): RouterExecutor {
    return this.#with({ plugins: [...this.#parts.plugins, plugin] })
  }

  override withPluginAtFront(plugin: KyselyPlugin): RouterExecutor {
    return this.#with({ plugins: [plugin, ...this.#parts.plugins] })
  }

  override withoutPlugins(): RouterExecutor {
    return this.#with({ plugins: [] })
  }

  /** Kysely calls this with the one connection of a transaction, and nowhere else. */
  override withConnectionProvider(provider: ConnectionProvider): RouterExecutor {
    return this.#with({ provider: new PinningProvider(provider), pinned: true })
  }

  #with(change: Partial<ExecutorParts>): RouterExecutor {
    return new RouterExecutor({ ...this.#parts, ...change })
  }
}
