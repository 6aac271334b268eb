import type { CreateDatabaseOptions, LocalServer, ServerState } from '../cluster/local-cluster.ts'
import { LocalClusterError } from '../errors/local-cluster-error.ts'
import { createDatabase } from '../postgres/create-database.ts'

/** A PostgreSQL server of somebody else: it can be used, not disturbed. */
export class ExternalServer implements LocalServer {
  readonly id: string
  readonly host: string
  readonly port: number
  readonly state: ServerState = 'running'
  readonly #url: string

  constructor(id: string, url: URL) {
    this.id = id
    this.host = url.hostname
    this.port = Number(url.port || 5432)
    this.#url = url.href
  }

  urlOf(database: string): string {
    const url = new URL(this.#url)
    url.pathname = `/${database}`
    return url.href
  }

  async createDatabase(name: string, options?: CreateDatabaseOptions): Promise<string> {
    await createDatabase(this.#url, name, options)
    return this.urlOf(name)
  }

  async logTail(): Promise<string> {
    return '' // its log is not ours to read
  }

  promote(): Promise<void> {
    return this.#refuse('promoted')
  }

  start(): Promise<void> {
    return this.#refuse('started')
  }

  stop(): Promise<void> {
    return this.#refuse('stopped')
  }

  kill(): Promise<void> {
    return this.#refuse('killed')
  }

  pause(): Promise<void> {
    return this.#refuse('paused')
  }

  resume(): Promise<void> {
    return this.#refuse('resumed')
  }

  restart(): Promise<void> {
    return this.#refuse('restarted')
  }

  async #refuse(what: string): Promise<never> {
    throw notControlled(`${this.id} at ${this.host}:${this.port}`, what)
  }
}

export function notControlled(server: string, what: string): LocalClusterError {
  return new LocalClusterError(
    'SERVER_NOT_CONTROLLED',
    `${server} was connected by its URL and is not ${what} from here`,
  )
}
