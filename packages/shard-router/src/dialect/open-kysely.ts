import { Kysely, type KyselyConfig } from 'kysely'
import { LogicalDriver } from './logical-driver.ts'
import type { Mode } from './mode.ts'
import type { RouterCore } from './router-core.ts'
import { RouterExecutor } from './router-executor.ts'
import { ShardDialect } from './shard-dialect.ts'

/** The Kysely of a door: Kysely's own, but for the executor, which lets statements pass an open stream. */
export function openKysely<Database>(
  core: RouterCore,
  mode: Mode,
  given: Pick<KyselyConfig, 'plugins' | 'log'>,
): Kysely<Database> {
  const dialect = new ShardDialect(core, mode, 'single')
  const config = { ...given, dialect }
  const plain = new Kysely<Database>(config)
  const executor = new RouterExecutor({
    compiler: dialect.createQueryCompiler(),
    adapter: dialect.createAdapter(),
    provider: plain.getExecutor(),
    plugins: given.plugins ?? [],
    pinned: false,
  })
  return new Kysely<Database>({
    config,
    dialect,
    executor,
    driver: new KyselysDriver(core, mode, () => plain.destroy()),
  })
}

/** What Kysely asks its driver for beside connections, which the executor gets elsewhere. */
class KyselysDriver extends LogicalDriver {
  readonly #destroy: () => Promise<void>

  constructor(core: RouterCore, mode: Mode, destroy: () => Promise<void>) {
    super(core, mode, 'single')
    this.#destroy = destroy
  }

  /** Kysely refuses statements from then on. */
  override destroy(): Promise<void> {
    return this.#destroy()
  }
}
