import { type DBCluster, DescribeDBClustersCommand, type RDSClient } from '@aws-sdk/client-rds'
import { MonitorError } from '../errors/monitor-error.ts'

export interface AuroraCluster {
  readonly client: RDSClient
  /** The cluster's identifier. */
  readonly cluster: string
}

/** @throws MonitorError SCALING_NOT_POSSIBLE; what the service answers */
export async function describeCluster({ client, cluster }: AuroraCluster): Promise<DBCluster> {
  const { DBClusters } = await client.send(new DescribeDBClustersCommand({ DBClusterIdentifier: cluster }))
  const found = DBClusters?.[0]
  if (found) return found
  throw new MonitorError({ code: 'SCALING_NOT_POSSIBLE', message: `There is no Aurora cluster '${cluster}'.` })
}

/** A cluster that is being changed takes no other change. @throws MonitorError SCALING_TARGET_BUSY */
export function assertAvailable({ Status }: DBCluster, cluster: string): void {
  if (Status === 'available') return
  throw new MonitorError({
    code: 'SCALING_TARGET_BUSY',
    message: `The Aurora cluster '${cluster}' is '${Status ?? 'of unknown state'}'.`,
  })
}
