import { ModifyDBClusterCommand, type ServerlessV2ScalingConfiguration } from '@aws-sdk/client-rds'
import { MonitorError } from '../errors/monitor-error.ts'
import type { ScalingTarget } from '../scaling/scaling-target.ts'
import { type AuroraCluster, assertAvailable, describeCluster } from './aurora-cluster.ts'

export interface AuroraCapacityOptions extends AuroraCluster {
  /**
   * Aurora moves by itself between a least and a largest capacity; this says which of the two the rules move. The other
   * follows where it would be passed. Default: `maximum`.
   */
  readonly bound?: 'minimum' | 'maximum' | undefined
}

/** Aurora's limits, in capacity units (ACU). */
const limits = { minimum: { least: 0, most: 256 }, maximum: { least: 1, most: 256 } } as const
const step = 0.5

/**
 * The capacity of an Aurora Serverless v2 cluster, in capacity units (ACU) by steps of 0.5.
 * @throws MonitorError SCALING_NOT_POSSIBLE, SCALING_TARGET_BUSY, from its methods; what the service answers
 * @example
 * const capacity = auroraCapacity({ client: new RDSClient({ region: 'eu-west-1' }), cluster: 'festival' })
 */
export function auroraCapacity(options: AuroraCapacityOptions): ScalingTarget {
  const { client, cluster, bound = 'maximum' } = options
  return Object.freeze({
    currentSize: async () => {
      const { minimum, maximum } = boundsOf((await describeCluster(options)).ServerlessV2ScalingConfiguration, cluster)
      return bound === 'maximum' ? maximum : minimum
    },
    resize: async ({ to }) => {
      checkCapacity(to, bound)
      const described = await describeCluster(options)
      assertAvailable(described, cluster)
      const { minimum, maximum } = boundsOf(described.ServerlessV2ScalingConfiguration, cluster)
      await client.send(
        new ModifyDBClusterCommand({
          DBClusterIdentifier: cluster,
          ServerlessV2ScalingConfiguration:
            bound === 'maximum'
              ? { MinCapacity: Math.min(minimum, to), MaxCapacity: to }
              : { MinCapacity: to, MaxCapacity: Math.max(maximum, to) },
          ApplyImmediately: true,
        }),
      )
    },
  } satisfies ScalingTarget)
}

function boundsOf(configuration: ServerlessV2ScalingConfiguration | undefined, cluster: string) {
  const { MinCapacity: minimum, MaxCapacity: maximum } = configuration ?? {}
  if (minimum !== undefined && maximum !== undefined) return { minimum, maximum }
  throw new MonitorError({
    code: 'SCALING_NOT_POSSIBLE',
    message: `The Aurora cluster '${cluster}' has no Serverless v2 capacity.`,
  })
}

function checkCapacity(capacity: number, bound: 'minimum' | 'maximum'): void {
  const { least, most } = limits[bound]
  if (capacity >= least && capacity <= most && Number.isInteger(capacity / step)) return
  throw new MonitorError({
    code: 'SCALING_NOT_POSSIBLE',
    message: `Aurora's ${bound} capacity cannot be ${capacity}: it is a multiple of ${step} from ${least} to ${most}.`,
  })
}
