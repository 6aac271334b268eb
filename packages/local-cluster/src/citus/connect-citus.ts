import { CleanUp } from '../cluster/clean-up.ts'
import { LocalClusterError } from '../errors/local-cluster-error.ts'
import { withClient } from '../postgres/with-client.ts'
import type { CitusCluster, CitusDatabase } from './citus-cluster.ts'
import { type CitusNodeUrl, createCitusDatabase } from './create-citus-database.ts'

export interface ConnectCitusOptions {
  /** The coordinator, as a role that may create databases and extensions. */
  readonly url: string
  /** URLs of nodes, by their `host:port` in `pg_dist_node`. Default: `url` with that host and port. */
  readonly nodes?: Readonly<Record<string, string>>
}

/**
 * A Citus cluster that already runs. Databases of its own are made there, and dropped by `stop`; it is not disturbed
 * otherwise.
 *
 * @throws LocalClusterError SERVER_UNREACHABLE
 * @example
 * await using citus = await connectCitus({ url: 'postgres://postgres@coordinator:5432/app' })
 * const database = await citus.createDatabase()
 */
export async function connectCitus({ url, nodes = {} }: ConnectCitusOptions): Promise<CitusCluster> {
  const { version, names } = await readCluster(url)
  const urls: CitusNodeUrl[] = names.map(({ host, port, coordinator }) => {
    const name = `${host}:${port}`
    return { host, port, name, coordinator, url: nodes[name] ?? (coordinator ? url : urlAt(url, host, port)) }
  })
  const cleanUp = new CleanUp()
  const stop = () => cleanUp.run()
  return Object.freeze({
    url,
    version,
    createDatabase: async (): Promise<CitusDatabase> => {
      const database = await createCitusDatabase(urls)
      cleanUp.add(() => database.drop())
      return database
    },
    stop,
    [Symbol.asyncDispose]: stop,
  })
}

interface NodeName {
  readonly host: string
  readonly port: number
  readonly coordinator: boolean
}

async function readCluster(url: string): Promise<{ version: string; names: NodeName[] }> {
  try {
    return await withClient(url, async (client) => {
      const version = await client.query("select extversion from pg_extension where extname = 'citus'")
      const nodes = await client.query(
        `select nodename as host, nodeport as port, groupid = 0 as coordinator from pg_dist_node
         where isactive and noderole = 'primary' order by groupid`,
      )
      return { version: version.rows[0].extversion, names: nodes.rows }
    })
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new LocalClusterError('SERVER_UNREACHABLE', `the Citus coordinator cannot be used: ${reason}`, { cause })
  }
}

function urlAt(url: string, host: string, port: number): string {
  const node = new URL(url)
  node.hostname = host
  node.port = String(port)
  return node.href
}
