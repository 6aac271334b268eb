export { type AuroraCapacityOptions, auroraCapacity } from './aurora-capacity.ts'
export type { AuroraCluster } from './aurora-cluster.ts'
export { type AuroraReplicasOptions, auroraReplicas } from './aurora-replicas.ts'
