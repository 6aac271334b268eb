import {
  type DatabaseIntrospector,
  type Dialect,
  type DialectAdapter,
  type Driver,
  type Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  type QueryCompiler,
} from 'kysely'
import { LogicalDriver } from './logical-driver.ts'
import type { Mode } from './mode.ts'
import type { RouterCore } from './router-core.ts'
import { GuardedCompiler, StreamGuard } from './stream-guard.ts'

/** Kysely's PostgreSQL dialect over a logical connection: its adapter, compiler and introspector, our driver. */
export class ShardDialect implements Dialect {
  readonly #core: RouterCore
  readonly #mode: Mode
  /** Absent with our executor, which leaves the connection to others between two chunks. */
  readonly #guard: StreamGuard | undefined

  constructor(core: RouterCore, mode: Mode, executor: 'ours' | "Kysely's") {
    this.#core = core
    this.#mode = mode
    this.#guard = executor === 'ours' ? undefined : new StreamGuard()
  }

  createDriver(): Driver {
    return new LogicalDriver(this.#core, this.#mode, this.#guard)
  }

  createQueryCompiler(): QueryCompiler {
    return this.#guard ? new GuardedCompiler(this.#guard) : this.#core.compiler
  }

  createAdapter(): DialectAdapter {
    return new PostgresAdapter()
  }

  createIntrospector<Database>(db: Kysely<Database>): DatabaseIntrospector {
    return new PostgresIntrospector(db)
  }
}
