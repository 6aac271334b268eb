import { CreateDBInstanceCommand, type DBCluster, DeleteDBInstanceCommand } from '@aws-sdk/client-rds'
import { MonitorError } from '../errors/monitor-error.ts'
import type { ScalingTarget } from '../scaling/scaling-target.ts'
import { type AuroraCluster, assertAvailable, describeCluster } from './aurora-cluster.ts'

export interface AuroraReplicasOptions extends AuroraCluster {
  /** Of new readers. Default: `db.serverless`. */
  readonly instanceClass?: string | undefined
  /** New readers are named by it and a number; only readers so named are ever removed. Default: `<cluster>-reader`. */
  readonly prefix?: string | undefined
}

/**
 * The readers of an Aurora cluster. It removes only readers that it has named, the last first, and never the writer.
 * @throws MonitorError SCALING_NOT_POSSIBLE, SCALING_TARGET_BUSY, from its methods; what the service answers
 * @example
 * const replicas = auroraReplicas({ client, cluster: 'festival' })
 */
export function auroraReplicas(options: AuroraReplicasOptions): ScalingTarget {
  const { client, cluster, instanceClass = 'db.serverless', prefix = `${cluster}-reader` } = options
  return Object.freeze({
    currentSize: async () => readersOf(await describeCluster(options)).length,
    resize: async ({ to }) => {
      const described = await describeCluster(options)
      assertAvailable(described, cluster)
      const readers = readersOf(described)
      for (const name of newNames(prefix, readers, to - readers.length)) {
        await client.send(
          new CreateDBInstanceCommand({
            DBClusterIdentifier: cluster,
            DBInstanceIdentifier: name,
            DBInstanceClass: instanceClass,
            Engine: described.Engine ?? 'aurora-postgresql',
          }),
        )
      }
      for (const name of leaving(prefix, readers, readers.length - to)) {
        await client.send(new DeleteDBInstanceCommand({ DBInstanceIdentifier: name }))
      }
    },
  } satisfies ScalingTarget)
}

function readersOf({ DBClusterMembers = [] }: DBCluster): readonly string[] {
  return DBClusterMembers.flatMap(({ DBInstanceIdentifier, IsClusterWriter }) =>
    DBInstanceIdentifier === undefined || IsClusterWriter === true ? [] : [DBInstanceIdentifier],
  )
}

/** The first free numbers, so that a removed reader's name is used again. */
function newNames(prefix: string, readers: readonly string[], count: number): readonly string[] {
  const names: string[] = []
  for (let number = 1; names.length < count; number++) {
    const name = `${prefix}-${number}`
    if (!readers.includes(name)) names.push(name)
  }
  return names
}

function leaving(prefix: string, readers: readonly string[], count: number): readonly string[] {
  if (count <= 0) return []
  const numberOf = (name: string): number => Number(name.slice(prefix.length + 1))
  const own = readers
    .filter((name) => name.startsWith(`${prefix}-`) && Number.isInteger(numberOf(name)))
    .toSorted((a, b) => numberOf(b) - numberOf(a))
  if (own.length >= count) return own.slice(0, count)
  throw new MonitorError({
    code: 'SCALING_NOT_POSSIBLE',
    message: `${count} readers should go, and only ${own.length} are named '${prefix}-...'.`,
  })
}
