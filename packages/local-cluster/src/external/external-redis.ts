import type { ServerState } from '../cluster/local-cluster.ts'
import type { LocalRedis } from '../redis/local-redis.ts'
import { notControlled } from './external-server.ts'

/** A Redis of somebody else: it can be used, neither disturbed nor emptied. */
export class ExternalRedis implements LocalRedis {
  readonly url: string
  readonly host: string
  readonly port: number
  readonly program = 'external'
  readonly state: ServerState = 'running'

  constructor(url: URL) {
    this.url = url.href
    this.host = url.hostname
    this.port = Number(url.port || 6379)
  }

  flush(): Promise<void> {
    return this.#refuse('emptied')
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
    throw notControlled(`Redis at ${this.host}:${this.port}`, what)
  }
}
