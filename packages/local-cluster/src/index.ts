export type { CitusCluster, CitusDatabase, CitusDatabaseTopology } from './citus/citus-cluster.ts'
export { type CitusAvailability, citusAvailability, citusFromEnvironment } from './citus/citus-from-environment.ts'
export { type ConnectCitusOptions, connectCitus } from './citus/connect-citus.ts'
export { type StartCitusOptions, startCitus } from './citus/start-citus.ts'
export type {
  CreateDatabaseOptions,
  LocalCluster,
  LocalReplica,
  LocalServer,
  LocalShard,
  ServerControl,
  ServerState,
  StopOptions,
  TopologyShards,
} from './cluster/local-cluster.ts'
export { startLocalCluster } from './cluster/start-local-cluster.ts'
export { LocalClusterError } from './errors/local-cluster-error.ts'
export { type LocalClusterErrorCode, localClusterErrorCodes } from './errors/local-cluster-error-codes.ts'
export { clusterFromEnvironment, environmentServers } from './external/cluster-from-environment.ts'
export { type ConnectClusterOptions, connectCluster } from './external/connect-cluster.ts'
export { freePort } from './net/free-port.ts'
export type { LocalClusterOptions } from './options/cluster-options.ts'
export { defaultServerSettings, type ServerSettings } from './postgres/server-settings.ts'
export { findProgram } from './programs/find-program.ts'
export type { FoundProgram } from './programs/machine-programs.ts'
export type { LocalProxy } from './proxies/local-proxy.ts'
export { type HaproxyOptions, startHaproxy } from './proxies/start-haproxy.ts'
export { type PgBouncerOptions, startPgBouncer } from './proxies/start-pgbouncer.ts'
export type { LocalRedis } from './redis/local-redis.ts'
export { type RedisAvailability, redisAvailability } from './redis/redis-availability.ts'
