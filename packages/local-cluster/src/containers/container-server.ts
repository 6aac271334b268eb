import type { CreateDatabaseOptions, LocalServer, ServerState, StopOptions } from '../cluster/local-cluster.ts'
import { createDatabase } from '../postgres/create-database.ts'
import { promote } from '../postgres/promote.ts'
import { withClient } from '../postgres/with-client.ts'
import { ContainerControl } from './container-control.ts'
import type { ContainerHandle } from './container-engine.ts'

export interface ContainerServerInit {
  readonly id: string
  readonly host: string
  readonly port: number
  readonly role: string
  readonly password: string
  readonly container: ContainerHandle
  readonly startTimeoutMs: number
}

/** A PostgreSQL server in a container. */
export class ContainerServer implements LocalServer {
  readonly id: string
  readonly host: string
  readonly port: number
  readonly #init: ContainerServerInit
  readonly #control: ContainerControl

  private constructor(init: ContainerServerInit) {
    this.id = init.id
    this.host = init.host
    this.port = init.port
    this.#init = init
    this.#control = new ContainerControl({
      name: `PostgreSQL ${init.id}`,
      container: init.container,
      isReady: () => answers(this.urlOf('postgres')),
      startTimeoutMs: init.startTimeoutMs,
      stopSignal: { fast: 'SIGINT', immediate: 'SIGQUIT' },
    })
  }

  /** Resolves when the server in the container answers. */
  static async of(init: ContainerServerInit): Promise<ContainerServer> {
    const server = new ContainerServer(init)
    await server.#control.untilReady()
    return server
  }

  get state(): ServerState {
    return this.#control.state
  }

  urlOf(database: string): string {
    const { role, password } = this.#init
    return `postgres://${role}:${password}@${this.host}:${this.port}/${database}`
  }

  async createDatabase(name: string, options?: CreateDatabaseOptions): Promise<string> {
    await createDatabase(this.urlOf('postgres'), name, options)
    return this.urlOf(name)
  }

  promote(): Promise<void> {
    return promote(this.urlOf('postgres'), this.id)
  }

  start(): Promise<void> {
    return this.#control.start()
  }

  stop(options?: StopOptions): Promise<void> {
    return this.#control.stop(options)
  }

  kill(): Promise<void> {
    return this.#control.kill()
  }

  pause(): Promise<void> {
    return this.#control.pause()
  }

  resume(): Promise<void> {
    return this.#control.resume()
  }

  restart(options?: StopOptions): Promise<void> {
    return this.#control.restart(options)
  }

  logTail(lines?: number): Promise<string> {
    return this.#control.logTail(lines)
  }
}

/** While a server starts, every refusal means: not yet. The caller knows when to give up. */
async function answers(url: string): Promise<boolean> {
  return await withClient(url, (client) => client.query('SELECT 1')).then(
    () => true,
    () => false,
  )
}
