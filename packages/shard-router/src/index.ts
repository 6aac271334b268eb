export { MergeError } from './errors/merge-error.ts'
export { type RouterErrorCode, routerErrorCodes } from './errors/router-error-codes.ts'
export { RoutingError } from './errors/routing-error.ts'
export type { PartialResult } from './execute/collected-rows.ts'
export type { FanOutOptions, MissingShard } from './execute/context.ts'
export type { Explainable, ExplainOptions } from './explain/explain-options.ts'
export type { ExplainedKeys, ExplainedPart, Explanation, Measured, ShardStatement } from './explain/explanation.ts'
export {
  type BackfilledLookup,
  type BackfillOptions,
  type BackfillProgress,
  backfillLookups,
} from './lookup/fill/backfill-lookups.ts'
export { type CheckedLookup, repairLookups, verifyLookups } from './lookup/fill/check-lookups.ts'
export type { LookupWork } from './lookup/fill/lookup-sessions.ts'
export type { Duplicate } from './lookup/fill/write-entries.ts'
export { installLookups } from './lookup/install-lookups.ts'
export { runWithDeadline, runWithReads } from './pool/call-context.ts'
export { createShardPool } from './pool/create-shard-pool.ts'
export { type PoolErrorCode, poolErrorCodes } from './pool/pool-error-codes.ts'
export type { ShardPoolOptions } from './pool/pool-options.ts'
export { decodeReadContext, encodeReadContext } from './pool/read-token.ts'
export { installIdentity } from './pool/shard-identity.ts'
export type {
  AbortStrategy,
  Lease,
  ReadPreference,
  RunOptions,
  ShardPool,
  Statement,
  StatementResult,
} from './pool/shard-pool.ts'
export type { TopologyGate } from './pool/topology-gate.ts'
export type { ShardRouterOptions } from './router-options.ts'
export { createShardRouter, ShardRouter } from './shard-router.ts'
export { TopologyLease } from './topology-store/topology-lease.ts'
export { TopologyStore } from './topology-store/topology-store.ts'
export { type TopologyStoreErrorCode, topologyStoreErrorCodes } from './topology-store/topology-store-error-codes.ts'
export type { AtomicCommit } from './transaction/atomic-commit.ts'
export {
  type AtomicOptions,
  type ProtocolPoint,
  type ProtocolStep,
  protocolSteps,
} from './transaction/atomic-options.ts'
export { IdempotentTransaction } from './transaction/idempotent-transaction.ts'
export type { MovedKey, MoveKeyOptions } from './transaction/move-key.ts'
export {
  installTransactions,
  recoverTransactions,
} from './transaction/recovery.ts'
export type { RecoveryOptions } from './transaction/recovery-options.ts'
export type {
  LeftPart,
  LeftReason,
  RecoveredPart,
  RecoveryReport,
} from './transaction/recovery-report.ts'
export type { TransactionOptions } from './transaction/router-transaction.ts'
export { type BackgroundRecovery, type BackgroundRecoveryOptions, startRecovery } from './transaction/start-recovery.ts'
export { TransactionError } from './transaction/transaction-error.ts'
export { type TransactionErrorCode, transactionErrorCodes } from './transaction/transaction-error-codes.ts'
