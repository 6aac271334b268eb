export {
  defineView,
  type RefreshOptions as ViewRefreshOptions,
  type ViewOptions,
  type ViewQuery,
} from './definition/define-view.ts'
export type { RefreshPolicy, Schedule, View, ViewIndex } from './definition/view.ts'
export type { Failure } from './errors/failure.ts'
export { ViewError } from './errors/view-error.ts'
export { type ViewErrorCode, viewManagerErrorCodes } from './errors/view-manager-error-codes.ts'
export type { InstallOutcome } from './install/install-views.ts'
export {
  createViewManager,
  type InstallReport,
  type RefreshOptions,
  type ViewManager,
} from './manager/create-view-manager.ts'
export type { ViewManagerOptions } from './manager/manager-options.ts'
export type { ViewStatus } from './manager/view-status.ts'
export type { RefreshReport } from './refresh/refresh-report.ts'
export { defineRollup, type Measure, type RollupOptions } from './rollup/define-rollup.ts'
export type { BucketUnit, Rollup, RollupMeasure } from './rollup/rollup.ts'
export type { RefreshSchedule } from './schedule/refresh-schedule.ts'
export { type ColumnFollowing, followAcrossShards, type PropagationReport } from './step/follow-across-shards.ts'
export type { StepReport } from './step/install-step.ts'
export { type ColumnInStep, keepInStep } from './step/keep-in-step.ts'
export type { KeepInStepOptions } from './step/step.ts'
