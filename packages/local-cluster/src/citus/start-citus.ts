import type { StartedTestContainer } from 'testcontainers'
import { CleanUp } from '../cluster/clean-up.ts'
import { loadTestcontainers, type Testcontainers } from '../containers/container-engine.ts'
import { withClient } from '../postgres/with-client.ts'
import type { CitusCluster } from './citus-cluster.ts'
import { connectCitus } from './connect-citus.ts'

export interface StartCitusOptions {
  /** Default: 2. */
  readonly workers?: number
  /** Default: `citusdata/citus:13.2.0`. */
  readonly image?: string
  /** How long one server may take to start, milliseconds. Default: 60000. */
  readonly startTimeoutMs?: number
}

const defaultImage = 'citusdata/citus:13.2.0'
const settings = [
  'wal_level=logical',
  'fsync=off',
  'max_connections=200',
  'max_prepared_transactions=200',
  // Every database of a suite has a daemon of Citus', and online moves have workers beside them.
  'max_worker_processes=32',
]
// Docker gives 64 MiB, which one parallel query can fill.
const sharedMemoryBytes = 256 * 1024 * 1024

/**
 * A coordinator and workers in containers; testcontainers' reaper removes them after a crash.
 *
 * @throws LocalClusterError CONTAINERS_UNAVAILABLE
 * @example
 * await using citus = await startCitus({ workers: 3 })
 */
export async function startCitus(options: StartCitusOptions = {}): Promise<CitusCluster> {
  const { workers = 2 } = options
  const cleanUp = new CleanUp()
  return await cleanUp.onFailure(async () => {
    const testcontainers = await loadTestcontainers()
    const network = await new testcontainers.Network().start()
    cleanUp.add(async () => void (await network.stop()))
    const aliases = ['coordinator', ...Array.from({ length: workers }, (_, index) => `worker-${index + 1}`)]
    const nodes = new Map<string, string>()
    for (const alias of aliases) {
      const container = await startNode(testcontainers, alias, network, options)
      cleanUp.add(async () => void (await container.stop()))
      nodes.set(`${alias}:5432`, `postgres://postgres@${container.getHost()}:${container.getMappedPort(5432)}/postgres`)
    }
    const url = nodes.get('coordinator:5432') as string
    await withClient(url, async (client) => {
      await client.query("select citus_set_coordinator_host('coordinator', 5432)")
      for (const alias of aliases.slice(1)) await client.query('select citus_add_node($1, 5432)', [alias])
    })
    const cluster = await connectCitus({ url, nodes: Object.fromEntries(nodes) })
    // Its databases end with the containers.
    const stop = () => cleanUp.run()
    return Object.freeze({ ...cluster, stop, [Symbol.asyncDispose]: stop })
  })
}

/** The image creates the extension in the database `postgres`. Nodes trust one another: they are alone on their network. */
async function startNode(
  { GenericContainer, Wait }: Testcontainers,
  alias: string,
  network: Parameters<InstanceType<Testcontainers['GenericContainer']>['withNetwork']>[0],
  { image = defaultImage, startTimeoutMs = 60_000 }: StartCitusOptions,
): Promise<StartedTestContainer> {
  return await new GenericContainer(image)
    .withEnvironment({ POSTGRES_HOST_AUTH_METHOD: 'trust' })
    .withCommand(['postgres', ...settings.flatMap((setting) => ['-c', setting])])
    .withNetwork(network)
    .withNetworkAliases(alias)
    .withExposedPorts(5432)
    .withSharedMemorySize(sharedMemoryBytes)
    .withWaitStrategy(
      Wait.forAll([
        // The first start is the one that runs the image's scripts; the second is the server itself.
        Wait.forLogMessage(/database system is ready to accept connections/, 2),
        Wait.forListeningPorts(),
      ]),
    )
    .withStartupTimeout(startTimeoutMs)
    .start()
}
