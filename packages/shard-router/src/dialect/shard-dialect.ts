import {
  type DatabaseIntrospector,
  type Dialect,
  type DialectAdapter,
  type Driver,
  type Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryCompiler,
} from 'kysely'
import { LogicalDriver } from './logical-driver.ts'
import type { Mode } from './mode.ts'
import type { RouterCore } from './router-core.ts'

/** Kysely's PostgreSQL dialect over a logical connection: its adapter, compiler and introspector, our driver. */
export class ShardDialect implements Dialect {
  readonly #core: RouterCore
  readonly #mode: Mode

  constructor(core: RouterCore, mode: Mode) {
    this.#core = core
    this.#mode = mode
  }

  createDriver(): Driver {
    return new LogicalDriver(this.#core, this.#mode)
  }

  createQueryCompiler(): QueryCompiler {
    return new PostgresQueryCompiler()
  }

  createAdapter(): DialectAdapter {
    return new PostgresAdapter()
  }

  createIntrospector<Database>(db: Kysely<Database>): DatabaseIntrospector {
    return new PostgresIntrospector(db)
  }
}
