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
import type { ConnectionUse } from './named-shard.ts'
import type { RouterCore } from './router-core.ts'

/** Kysely's PostgreSQL dialect over a logical connection: its adapter, compiler and introspector, our driver. */
export class ShardDialect implements Dialect {
  readonly #core: RouterCore
  readonly #mode: Mode
  readonly #use: ConnectionUse

  /** `use`: as LogicalDriver has it. */
  constructor(core: RouterCore, mode: Mode, use: ConnectionUse) {
    this.#core = core
    this.#mode = mode
    this.#use = use
  }

  createDriver(): Driver {
    return new LogicalDriver(this.#core, this.#mode, this.#use)
  }

  createQueryCompiler(): QueryCompiler {
    return this.#core.compiler
  }

  createAdapter(): DialectAdapter {
    return new PostgresAdapter()
  }

  createIntrospector<Database>(db: Kysely<Database>): DatabaseIntrospector {
    return new PostgresIntrospector(db)
  }
}
