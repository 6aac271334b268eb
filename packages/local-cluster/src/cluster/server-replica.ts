import { setTimeout as sleep } from 'node:timers/promises'
import { LocalClusterError } from '../errors/local-cluster-error.ts'
import { withClient } from '../postgres/with-client.ts'
import type { LocalReplica, LocalServer, ServerState, StopOptions } from './local-cluster.ts'

const pollMs = 20

/** One shard's database on a replica server. */
export class ServerReplica implements LocalReplica {
  readonly id: string
  readonly url: string
  readonly server: LocalServer
  readonly #primary: LocalServer

  constructor(server: LocalServer, primary: LocalServer, database: string) {
    this.id = server.id
    this.url = server.urlOf(database)
    this.server = server
    this.#primary = primary
  }

  get state(): ServerState {
    return this.server.state
  }

  promote(): Promise<void> {
    return this.server.promote()
  }

  async caughtUp(timeoutMs = 30_000): Promise<void> {
    const lsn = await withClient(this.#primary.urlOf('postgres'), async (client) => {
      const { rows } = await client.query<{ lsn: string }>('SELECT pg_current_wal_lsn()::text AS lsn')
      return rows[0]?.lsn
    })
    const deadline = performance.now() + timeoutMs
    await withClient(this.server.urlOf('postgres'), async (client) => {
      for (;;) {
        const { rows } = await client.query<{ done: boolean }>('SELECT pg_last_wal_replay_lsn() >= $1 AS done', [lsn])
        if (rows[0]?.done === true) return
        if (performance.now() > deadline) {
          throw new LocalClusterError('SERVER_STATE', `${this.id} did not replay up to ${lsn} within ${timeoutMs} ms`)
        }
        await sleep(pollMs)
      }
    })
  }

  start(): Promise<void> {
    return this.server.start()
  }

  stop(options?: StopOptions): Promise<void> {
    return this.server.stop(options)
  }

  kill(): Promise<void> {
    return this.server.kill()
  }

  pause(): Promise<void> {
    return this.server.pause()
  }

  resume(): Promise<void> {
    return this.server.resume()
  }

  restart(options?: StopOptions): Promise<void> {
    return this.server.restart(options)
  }
}
