import { containersAvailable } from '../containers/container-engine.ts'
import { LocalClusterError } from '../errors/local-cluster-error.ts'
import type { CitusCluster } from './citus-cluster.ts'
import { connectCitus } from './connect-citus.ts'
import { startCitus } from './start-citus.ts'

export interface CitusAvailability {
  readonly available: boolean
  /** Where a Citus would come from. */
  readonly source: 'environment' | 'container' | 'none'
  /** Why there is none; it was printed too. */
  readonly reason?: string
}

const reason = 'no Citus: CITUS_URL names no running cluster, and there is no container engine'
let told = false

/**
 * Whether `citusFromEnvironment` can work here, for suites to skip themselves; why not is printed once.
 *
 * @example
 * const citus = await citusAvailability()
 * describe.skipIf(!citus.available)('on Citus', () => { ... })
 */
export async function citusAvailability(environment: NodeJS.ProcessEnv = process.env): Promise<CitusAvailability> {
  if (environment.CITUS_URL) return { available: true, source: 'environment' }
  if (await containersAvailable()) return { available: true, source: 'container' }
  if (!told) process.stderr.write(`skipped: ${reason}\n`)
  told = true
  return { available: false, source: 'none', reason }
}

/**
 * The Citus cluster that the environment names, else one in containers (CITUS_IMAGE names the image).
 *
 * CITUS_URL is the coordinator's URL; CITUS_NODES tells how nodes are reached whose names in `pg_dist_node` mean nothing
 * here, as `worker-1:5432=postgres://...` with blanks, commas or line ends between them.
 *
 * @throws LocalClusterError SERVER_UNREACHABLE, CONTAINERS_UNAVAILABLE, LOCAL_CLUSTER_OPTIONS
 * @example
 * await using citus = await citusFromEnvironment()
 */
export async function citusFromEnvironment(environment: NodeJS.ProcessEnv = process.env): Promise<CitusCluster> {
  const { CITUS_URL: url, CITUS_IMAGE: image } = environment
  if (!url) return await startCitus(image ? { image } : {})
  return await connectCitus({ url, nodes: namedNodes(environment.CITUS_NODES) })
}

function namedNodes(text = ''): Record<string, string> {
  const entries = text.split(/[\s,]+/).filter((word) => word !== '')
  return Object.fromEntries(
    entries.map((entry) => {
      const [, name, url] = /^([^=]+:\d+)=(.+)$/.exec(entry) ?? []
      if (name !== undefined && url !== undefined) return [name, url]
      const message = 'an entry of CITUS_NODES is not host:port=postgres://...'
      throw new LocalClusterError('LOCAL_CLUSTER_OPTIONS', message)
    }),
  )
}
