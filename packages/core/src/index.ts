export type { CitusDifference } from './citus/citus-difference.ts'
export type {
  CitusMetadata,
  CitusNode,
  CitusTable,
  ColocatedShard,
  ColocationGroup,
} from './citus/citus-metadata.ts'
export { citusNodeServer } from './citus/citus-node-server.ts'
export { type AnyTopology, type CitusTopology, isCitus } from './citus/citus-topology.ts'
export type { CitusTopologyInput } from './citus/citus-topology-input.ts'
export { compareCitusTables, type FoundRelation } from './citus/compare-citus-tables.ts'
export { inspectCitusTables } from './citus/inspect-citus-tables.ts'
export { locateInGroup } from './citus/locate-in-group.ts'
export { noHashTopology } from './citus/no-hash-topology.ts'
export { readCitusMetadata } from './citus/read-citus-metadata.ts'
export { ConfigurationError } from './errors/configuration-error.ts'
export { ConnectionError } from './errors/connection-error.ts'
export { type CoreErrorCode, coreErrorCodes } from './errors/core-error-codes.ts'
export { IdError } from './errors/id-error.ts'
export { KeyError } from './errors/key-error.ts'
export { redactText, redactUrl } from './errors/redact-url.ts'
export { RepositoryError } from './errors/repository-error.ts'
export { SchemaError } from './errors/schema-error.ts'
export { ShardwrightError, type ShardwrightErrorInit } from './errors/shardwright-error.ts'
export { TopologyError } from './errors/topology-error.ts'
export { bucketExpression } from './hashing/bucket-expression.ts'
export { bucketOf } from './hashing/bucket-of.ts'
export { canonicalKey } from './hashing/canonical-key.ts'
export { citusHash } from './hashing/citus-hash.ts'
export { type HashName, type KeyType, type KeyValue, keyTypes } from './hashing/key-type.ts'
export { murmur3 } from './hashing/murmur3.ts'
export { partitionHash } from './hashing/partition-hash.ts'
export { type FleetWorkerLeasesOptions, fleetWorkerLeases } from './ids/fleet-worker-leases.ts'
export { IdGenerator, type IdGeneratorOptions } from './ids/id-generator.ts'
export { type IdLayout, type IdLayoutOptions, type IdParts, idLayout, readId } from './ids/id-layout.ts'
export { type IdOwner, shardsOfId } from './ids/shards-of-id.ts'
export { UuidV7Generator, uuidV7, uuidV7TimeMs } from './ids/uuid-v7.ts'
export type { WorkerLease, WorkerLeases } from './ids/worker-lease.ts'
export type { Clock } from './ports/clock.ts'
export { combineTelemetry } from './ports/combine-telemetry.ts'
export {
  type Commit,
  type CommitScope,
  type CommitToken,
  commitScopeOf,
  commitScopeSymbol,
} from './ports/commit-scope.ts'
export {
  createFleet,
  type FleetOptions,
  fleetOf,
  type PgClientConfig,
  type PgClientConstructor,
} from './ports/create-fleet.ts'
export type { Fleet, FleetConnection, FleetConnectOptions, FleetShard } from './ports/fleet.ts'
export { FleetLeader, type FleetLeaderOptions } from './ports/fleet-leader.ts'
export type { KeyObserver } from './ports/key-observer.ts'
export { ManualClock } from './ports/manual-clock.ts'
export type { PgClient, PgField, PgQueryConfig, PgResult } from './ports/pg-client.ts'
export { compareLsn, currentReadContext, ReadContext, runInReadContext } from './ports/read-context.ts'
export { systemClock } from './ports/system-clock.ts'
export {
  noTelemetry,
  type Telemetry,
  type TelemetryAttributes,
  type TelemetryScope,
  type TelemetrySpan,
} from './ports/telemetry.ts'
export { defineRepository, type RepositoryDefinition } from './repository/define-repository.ts'
export type { BoundRepository, FindOptions, OrderTerm, Repository } from './repository/repository.ts'
export type { RepositoryTypes, RepositoryTypesOf } from './repository/repository-types.ts'
export { defineSchema, type SchemaOptions } from './schema/define-schema.ts'
export type { Family } from './schema/family.ts'
export { inspectKeys, inspectKeysOfFleet, type KeyTypes } from './schema/inspect-keys.ts'
export { type Lookup, type LookupDefinition, type LookupOptions, lookup } from './schema/lookup.ts'
export { createLookupSql, dropLookupSql, lookupRowColumn, lookupRowSql } from './schema/lookup-sql.ts'
export { createOwnSchema } from './schema/own-schema.ts'
export {
  type FamilyNamed,
  type Placement,
  type ReferencePlacement,
  reference,
  type ShardedOptions,
  type ShardedPlacement,
  type SinglePlacement,
  sharded,
  single,
} from './schema/placement.ts'
export type { DatabaseOf, PlacementsOf, Schema } from './schema/schema.ts'
export type { CheckedLookups, CheckedPlacements, EveryTablePlaced, Refusal } from './schema/schema-checks.ts'
export type {
  ConfinedDatabase,
  FamilyKey,
  FamilyName,
  FamilyOfKey,
  FamilyTable,
  KeyOf,
  ReferenceTableName,
  SelectedKeyOf,
  ShardKeyColumns,
} from './schema/schema-types.ts'
export type { ShardKey, shardKeyBrand } from './schema/shard-key.ts'
export type { ReferenceTable, ShardedTable, SingleTable, TablePlacement } from './schema/table-placement.ts'
export { type FoundUnique, inspectUniques, type SchemaWarning, uniquePerShard } from './schema/unique-per-shard.ts'
export { withSinglesOn } from './schema/with-singles-on.ts'
export { assertTopologyFits } from './topology/assert-topology-fits.ts'
export { bucketRanges, formatBuckets } from './topology/bucket-map.ts'
export { bucketsOfShard, shardIndexOf } from './topology/buckets-of-shard.ts'
export { defineTopology } from './topology/define-topology.ts'
export { describeTopology } from './topology/describe-topology.ts'
export { type BucketMove, diffTopology, type PinChange, type TopologyDiff } from './topology/diff-topology.ts'
export { type KeyToLocate, type Location, locate } from './topology/locate.ts'
export { type OwnedColumn, ownershipExpression } from './topology/ownership-expression.ts'
export { splitHosts } from './topology/server-hosts.ts'
export type { Pin, PoolerKind, Topology, TopologyServer, TopologyShard } from './topology/topology.ts'
export type { BucketRange, PinInput, ServerInput, ShardInput, TopologyInput } from './topology/topology-input.ts'
export { topologyInputOf } from './topology/topology-input-of.ts'
