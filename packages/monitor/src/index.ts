export type { Advice, AdviceTopic } from './advisor/advice.ts'
export { type AdviseOptions, advise, indexAdvisors, statementAdvisors } from './advisor/advise.ts'
export { type AdviceReport, type Advisor, type AdvisorDefinition, defineAdvisor } from './advisor/advisor.ts'
export { readSystemFacts, type SystemFactsInput } from './advisor/ladder/read-system-facts.ts'
export type { RungName } from './advisor/ladder/rungs.ts'
export { type RungStanding, type Standing, standingOf } from './advisor/ladder/standing.ts'
export type { SystemFacts } from './advisor/ladder/system-facts.ts'
export type { Machine } from './advisor/settings/server-settings.ts'
export { type SettingsAdviceOptions, settingsAdvice } from './advisor/settings/settings-advice.ts'
export type { AlertPort } from './alert/alert-port.ts'
export { describeAlert } from './alert/describe-alert.ts'
export { logAlerts } from './alert/log-alerts.ts'
export { type WebhookOptions, webhookAlerts } from './alert/webhook-alerts.ts'
export { callerAdvice } from './callers/caller-advice.ts'
export type { CallerReport, ReportedKey } from './callers/caller-report.ts'
export { type CallerReporter, type CallerReporterOptions, createCallerReporter } from './callers/caller-reporter.ts'
export { callerReportsSql } from './callers/caller-reports-table.ts'
export { type CallerReports, readCallerReports } from './callers/read-caller-reports.ts'
export { type BucketSizesOptions, bucketSizes } from './collect/bucket-sizes.ts'
export type { CollectFailure } from './collect/collect-shard.ts'
export type { Collector } from './collect/collector.ts'
export { defaultCollectors } from './collect/default-collectors.ts'
export { diskUse } from './collect/disk-use.ts'
export type { Sample } from './collect/sample.ts'
export type { Growth, ShardMemory } from './collect/shard-memory.ts'
export { type SlowStatement, slowStatements } from './collect/slow-statements.ts'
export { MonitorError, type MonitorErrorInit } from './errors/monitor-error.ts'
export { type MonitorErrorCode, monitorErrorCodes } from './errors/monitor-error-codes.ts'
export { Histogram, type HistogramData, type HistogramOptions } from './histogram/histogram.ts'
export { RotatingHistogram, type RotatingHistogramOptions } from './histogram/rotating-histogram.ts'
export type { RoundHistory } from './history/round-history.ts'
export { type HotKey, type HotKeys, type HotKeysOptions, hotKeys } from './keys/hot-keys.ts'
export { type LoadProfileName, type LoadProfileOptions, loadProfile, loadProfileNames } from './load/load-profile.ts'
export type { LatencySummary, LoadEnd, LoadMoment, LoadReport, OperationReport } from './load/load-report.ts'
export type { LoadStage } from './load/load-stage.ts'
export type { LoadMemory, MemoryCourse } from './load/memory-course.ts'
export { type LoadPlotOptions, plotLoad } from './load/plot-load.ts'
export { type RunLoadOptions, runLoad } from './load/run-load.ts'
export { defineWorkload, type LoadCall, type LoadLimits, type LoadOperation, type Workload } from './load/workload.ts'
export type { MachineSize, MachineSizes } from './machine/machine-size.ts'
export { checkMetrics } from './metrics/check-metrics.ts'
export { defaultMetrics } from './metrics/default-metrics.ts'
export { type Limits, limits } from './metrics/limits.ts'
export type { MetricArea, MetricDefinition, MetricSource, MetricUnit } from './metrics/metric-definition.ts'
export { createMonitor, type Monitor, type MonitorRound } from './monitor.ts'
export type { MonitorOptions } from './monitor-options.ts'
export {
  type GrafanaDashboard,
  type GrafanaDashboardOptions,
  type GrafanaPanel,
  type GrafanaRow,
  grafanaDashboard,
} from './rules/grafana-dashboard.ts'
export { type PrometheusRulesOptions, prometheusRules } from './rules/prometheus-rules.ts'
export {
  decide,
  type RuleVerdict,
  type ScalingAction,
  type ScalingDecision,
} from './scaling/decide.ts'
export { type HistoryPoint, parseHistoryPoints, type ScalingChange, type ScalingHistory } from './scaling/history.ts'
export { type PlotOptions, plotReplay } from './scaling/plot-replay.ts'
export { recommend } from './scaling/recommend.ts'
export { type Replay, type ReplayStep, replayRules } from './scaling/replay.ts'
export {
  createScaler,
  type Scaler,
  type ScalerOptions,
  type ScalingOutcome,
  type ScalingRound,
} from './scaling/scaler.ts'
export { parseScalingRules, type ResolvedRule, type ScalingRule } from './scaling/scaling-rule.ts'
export type { ScalingTarget } from './scaling/scaling-target.ts'
export { spareServers } from './scaling/spare-servers.ts'
export type { Source } from './source/source.ts'
export {
  type CallerTelemetry,
  type CallerTelemetryOptions,
  callerTelemetry,
  type Scatter,
} from './telemetry/caller-telemetry.ts'
export type { SeriesFilter } from './telemetry/series-set.ts'
export { type Alarm, alarmsOf, describeAlarm } from './threshold/alarm.ts'
export type { Alert, AlertLevel } from './threshold/alert.ts'
export { type Observation, ThresholdWatch, type ThresholdWatchOptions } from './threshold/threshold-watch.ts'
