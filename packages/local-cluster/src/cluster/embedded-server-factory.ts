import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { LocalClusterError } from '../errors/local-cluster-error.ts'
import { onFreePort } from '../net/on-free-port.ts'
import type { ResolvedClusterOptions } from '../options/cluster-options.ts'
import { baseBackup } from '../postgres/base-backup.ts'
import type { PostgresBinaries } from '../postgres/binaries.ts'
import { createDataDirectory } from '../postgres/data-directory.ts'
import { PostgresServer } from '../postgres/postgres-server.ts'
import { defaultServerSettings, renderSettings } from '../postgres/server-settings.ts'
import { withClient } from '../postgres/with-client.ts'
import { writeOwnedFile } from '../process/owned-file.ts'
import type { ProcessUser } from '../process/unprivileged-user.ts'
import type { ServerFactory } from './server-factory.ts'

export interface EmbeddedServerFactoryInit {
  readonly folder: string
  readonly binaries: PostgresBinaries
  readonly user: ProcessUser
  readonly options: ResolvedClusterOptions
}

/** PostgreSQL servers as processes of ours. */
export class EmbeddedServerFactory implements ServerFactory {
  readonly #init: EmbeddedServerFactoryInit
  readonly #role = 'superuser'
  // New in each cluster: these are superusers on a port that every local user can reach.
  readonly #password = randomBytes(12).toString('hex')
  readonly #servers: PostgresServer[] = []

  constructor(init: EmbeddedServerFactoryInit) {
    this.#init = init
  }

  async startPrimary(id: string): Promise<PostgresServer> {
    const { folder, binaries, user, options } = this.#init
    const path = join(folder, id)
    await createDataDirectory({
      path,
      binaries,
      user,
      role: this.#role,
      password: this.#password,
      icuLocale: options.icuLocale,
      settings: { ...defaultServerSettings, ...options.settings },
    })
    return await this.#startServer(id, path)
  }

  async startReplica(id: string, primaryId: string): Promise<PostgresServer> {
    const { folder, user } = this.#init
    const target = join(folder, id)
    const primary = this.#primary(primaryId)
    const adminUrl = primary.urlOf('postgres')
    const slot = id.replaceAll('-', '_')
    await withClient(adminUrl, (client) => client.query('SELECT pg_create_physical_replication_slot($1, true)', [slot]))
    await baseBackup({ adminUrl, source: primary.dataDirectory, target, user })
    // postgresql.auto.conf: it is read last, and it is private to the servers' user.
    const connection = `host=${primary.host} port=${primary.port} user=${this.#role} password=${this.#password} application_name=${slot}`
    const settings = renderSettings({ primary_conninfo: connection, primary_slot_name: slot })
    await writeOwnedFile(join(target, 'postgresql.auto.conf'), settings, user)
    await writeOwnedFile(join(target, 'standby.signal'), '', user)
    return await this.#startServer(id, target)
  }

  async destroy(): Promise<void> {
    // Replicas were started last and go first, so that no primary waits for one.
    const outcomes = await Promise.allSettled(this.#servers.toReversed().map((server) => server.destroy()))
    const failures = outcomes.filter((outcome) => outcome.status === 'rejected').map((outcome) => outcome.reason)
    if (failures.length > 0) throw new AggregateError(failures, 'some servers could not be ended')
  }

  async #startServer(id: string, dataDirectory: string): Promise<PostgresServer> {
    const { binaries, user, options } = this.#init
    const { startTimeoutMs } = options
    const [role, password] = [this.#role, this.#password]
    return await onFreePort(async (port) => {
      const server = new PostgresServer({ id, dataDirectory, port, role, password, binaries, user, startTimeoutMs })
      await server.start()
      this.#servers.push(server)
      return server
    })
  }

  #primary(id: string): PostgresServer {
    const server = this.#servers.find((candidate) => candidate.id === id)
    if (server === undefined) throw new LocalClusterError('SERVER_STATE', `there is no server ${id}`)
    return server
  }
}
