export { type LockReport, lockAdvice } from './advice/lock-table.ts'
export { type ExplainableQuery, explainPruning, type PruningReport } from './advice/pruning.ts'
export { type ActionOutcome, applyPlan } from './apply/apply-plan.ts'
export { type AttachOptions, attachPartition } from './apply/attach-partition.ts'
export type { ProgressEvent, RunOptions } from './apply/run-options.ts'
export type { PartitionInterval } from './calendar/interval.ts'
export type { ConvertOptions } from './convert/convert-options.ts'
export { abandonConvert, type ConvertReport, convertTable } from './convert/convert-table.ts'
export { type ConvertPlan, planConvert } from './convert/plan-convert.ts'
export { type PartitionErrorCode, partitionManagerErrorCodes } from './errors/error-codes.ts'
export type { Failure } from './errors/failure.ts'
export { PartitionError } from './errors/partition-error.ts'
export { type MaintainOptions, maintain } from './fleet/maintain.ts'
export { type MaintenanceReport, printReport, type TableFigures, type TableReport } from './fleet/report.ts'
export type {
  CatalogState,
  DefaultPartitionState,
  ParentIndex,
  PartitionJob,
  PartitionState,
} from './inspect/catalog-state.ts'
export { inspectPartitions } from './inspect/inspect.ts'
export type { PartitionKeyName } from './keys/partition-key.ts'
export type { PartitionAction } from './plan/action.ts'
export type { PartitionPlan, PartitionProblem, PlanOptions } from './plan/partition-plan.ts'
export { planPartitions } from './plan/plan-partitions.ts'
export { printPlan } from './plan/print-plan.ts'
export type { ArchiveFunction, ArchiveSource, ArchiveTarget } from './policy/archive-target.ts'
export { definePartitions } from './policy/define-partitions.ts'
export type { PartitionPolicy } from './policy/policy.ts'
export type { PartitionPolicyOptions, TablePolicyOptions } from './policy/policy-options.ts'
export { type Maintenance, type MaintenanceOptions, startMaintenance } from './service/maintenance.ts'
export type { ScheduleOptions } from './service/schedule-options.ts'
