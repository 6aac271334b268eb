import type {
  CreateDatabaseOptions,
  LocalReplica,
  LocalServer,
  LocalShard,
  ServerState,
  StopOptions,
} from './local-cluster.ts'
import { ServerReplica } from './server-replica.ts'

export interface ServerShardInit {
  readonly id: string
  readonly database: string
  readonly server: LocalServer
  readonly replicaServers: readonly LocalServer[]
  readonly startReplica: () => Promise<LocalServer>
}

/** A shard as a database on a server. */
export class ServerShard implements LocalShard {
  readonly id: string
  readonly database: string
  readonly url: string
  readonly server: LocalServer
  readonly #replicas: LocalReplica[]
  readonly #startReplica: () => Promise<LocalServer>

  constructor(init: ServerShardInit) {
    this.id = init.id
    this.database = init.database
    this.server = init.server
    this.url = init.server.urlOf(init.database)
    this.#startReplica = init.startReplica
    this.#replicas = init.replicaServers.map((server) => this.#replica(server))
  }

  get replicas(): readonly LocalReplica[] {
    return this.#replicas
  }

  get state(): ServerState {
    return this.server.state
  }

  createDatabase(name: string, options?: CreateDatabaseOptions): Promise<string> {
    return this.server.createDatabase(name, options)
  }

  async addReplica(): Promise<LocalReplica> {
    const replica = this.#replica(await this.#startReplica())
    this.#replicas.push(replica)
    return replica
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

  #replica(server: LocalServer): LocalReplica {
    return new ServerReplica(server, this.server, this.database)
  }
}
