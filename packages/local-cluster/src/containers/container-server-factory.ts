import { randomBytes } from 'node:crypto'
import type { StartedNetwork, StartedTestContainer } from 'testcontainers'
import type { ServerFactory } from '../cluster/server-factory.ts'
import { freePort } from '../net/free-port.ts'
import type { ResolvedClusterOptions } from '../options/cluster-options.ts'
import { defaultServerSettings, settingParameters } from '../postgres/server-settings.ts'
import { containerHandle, type Testcontainers } from './container-engine.ts'
import { ContainerServer } from './container-server.ts'

const image = 'postgres:18'
const role = 'superuser'

// The image lets clients in by password, but not replicas.
const admitReplicas = `echo 'host replication all all scram-sha-256' >> "$PGDATA/pg_hba.conf"\n`

/** PostgreSQL servers in containers on a network of their own; testcontainers' reaper removes them after a crash. */
export class ContainerServerFactory implements ServerFactory {
  readonly #testcontainers: Testcontainers
  readonly #network: StartedNetwork
  readonly #options: ResolvedClusterOptions
  readonly #password = randomBytes(12).toString('hex')
  readonly #containers: StartedTestContainer[] = []

  private constructor(testcontainers: Testcontainers, network: StartedNetwork, options: ResolvedClusterOptions) {
    this.#testcontainers = testcontainers
    this.#network = network
    this.#options = options
  }

  static async create(
    testcontainers: Testcontainers,
    options: ResolvedClusterOptions,
  ): Promise<ContainerServerFactory> {
    return new ContainerServerFactory(testcontainers, await new testcontainers.Network().start(), options)
  }

  async startPrimary(id: string): Promise<ContainerServer> {
    const locale =
      this.#options.icuLocale === undefined ? '' : `--locale-provider=icu --icu-locale=${this.#options.icuLocale}`
    const container = new this.#testcontainers.GenericContainer(image)
      .withEnvironment({
        POSTGRES_USER: role,
        POSTGRES_PASSWORD: this.#password,
        POSTGRES_INITDB_ARGS: `--encoding=UTF8 --locale=C ${locale} --set=scram_iterations=1`,
      })
      .withCopyContentToContainer([
        { content: admitReplicas, target: '/docker-entrypoint-initdb.d/10-replicas.sh', mode: 0o755 },
      ])
      .withCommand(['postgres', ...this.#settings(id)])
    return await this.#start(id, container)
  }

  async startReplica(id: string, primaryId: string): Promise<ContainerServer> {
    const slot = id.replaceAll('-', '_')
    const container = new this.#testcontainers.GenericContainer(image)
      .withEnvironment({ PGPASSWORD: this.#password })
      .withEntrypoint(['bash', '-ec', replicaScript(primaryId, slot), 'replica'])
      .withCommand(this.#settings(id))
    return await this.#start(id, container)
  }

  async destroy(): Promise<void> {
    const { container: client } = await this.#testcontainers.getContainerRuntimeClient()
    const handles = this.#containers.map((container) => client.getById(container.getId()))
    // By force: also one that is paused.
    await Promise.all(handles.map((handle) => handle.remove({ force: true, v: true })))
    await this.#network.stop()
  }

  #settings(id: string): string[] {
    const overAll = { listen_addresses: '*', unix_socket_directories: '/var/run/postgresql', cluster_name: id }
    return settingParameters({ ...defaultServerSettings, ...this.#options.settings, ...overAll })
  }

  async #start(id: string, container: InstanceType<Testcontainers['GenericContainer']>): Promise<ContainerServer> {
    const { startTimeoutMs } = this.#options
    // A port of our choice, so that a container that is started again keeps its URL.
    const port = await freePort()
    const started = await container
      .withNetwork(this.#network)
      .withNetworkAliases(id)
      .withExposedPorts({ container: 5432, host: port })
      .withStartupTimeout(startTimeoutMs)
      .start()
    this.#containers.push(started)
    return await ContainerServer.of({
      id,
      host: started.getHost(),
      port,
      role,
      password: this.#password,
      container: await containerHandle(this.#testcontainers, started.getId()),
      startTimeoutMs,
    })
  }
}

/** Copies the primary on the first start; the settings come as the script's parameters. */
function replicaScript(primary: string, slot: string): string {
  return `
    if [ ! -s "$PGDATA/PG_VERSION" ]; then
      mkdir -p "$PGDATA" && chown -R postgres "$PGDATA" && chmod 700 "$PGDATA"
      gosu postgres pg_basebackup -h ${primary} -U ${role} -D "$PGDATA" -R -X stream -C -S ${slot} -c fast
    fi
    exec gosu postgres postgres "$@"`
}
