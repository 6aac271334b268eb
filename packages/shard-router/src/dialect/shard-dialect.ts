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
  readonly #tellsPins: boolean

  /** `tellsPins`: the executor of its Kysely tells a connection that it is kept; Kysely's own does not. */
  constructor(core: RouterCore, mode: Mode, { tellsPins = false }: { readonly tellsPins?: boolean } = {}) {
    this.#core = core
    this.#mode = mode
    this.#tellsPins = tellsPins
  }

  createDriver(): Driver {
    return new LogicalDriver(this.#core, this.#mode, this.#tellsPins)
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
