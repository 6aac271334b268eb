import type { ServerControl } from '../cluster/local-cluster.ts'

/** A proxy before PostgreSQL servers, to be disturbed as a server is. `close` ends it for good. */
export interface LocalProxy extends ServerControl, AsyncDisposable {
  readonly host: string
  readonly port: number
  /** The (first) target's URL by way of the proxy. */
  readonly url: string
  /** Ends the proxy and removes its folder. Idempotent. */
  close(): Promise<void>
  logTail(lines?: number): Promise<string>
}
