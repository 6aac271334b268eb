import type { ServerControl } from '../cluster/local-cluster.ts'

/** A Redis (or Valkey) server. */
export interface LocalRedis extends ServerControl {
  /** `redis://127.0.0.1:port`. */
  readonly url: string
  readonly host: string
  readonly port: number
  /** `redis-server`, `valkey-server`, `container` or `external`. */
  readonly program: string
  /** Removes all keys of all databases. */
  flush(): Promise<void>
}

/** A Redis that its cluster can end for good. */
export interface OwnedRedis extends LocalRedis {
  destroy(): Promise<void>
}
