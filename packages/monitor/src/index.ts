export { MonitorError, type MonitorErrorInit } from './errors/monitor-error.ts'
export { type MonitorErrorCode, monitorErrorCodes } from './errors/monitor-error-codes.ts'
export { Histogram, type HistogramData, type HistogramOptions } from './histogram/histogram.ts'
export { RotatingHistogram, type RotatingHistogramOptions } from './histogram/rotating-histogram.ts'
export { checkMetrics } from './metrics/check-metrics.ts'
export { defaultMetrics } from './metrics/default-metrics.ts'
export type { MetricDefinition, MetricUnit } from './metrics/metric-definition.ts'
export {
  decide,
  type RuleVerdict,
  type ScalingAction,
  type ScalingDecision,
} from './scaling/decide.ts'
export { type HistoryPoint, parseHistoryPoints, type ScalingChange, type ScalingHistory } from './scaling/history.ts'
export { type PlotOptions, plotReplay } from './scaling/plot-replay.ts'
export { type Replay, type ReplayStep, replayRules } from './scaling/replay.ts'
export { parseScalingRules, type ResolvedRule, type ScalingRule } from './scaling/scaling-rule.ts'
export type { Alert, AlertLevel } from './threshold/alert.ts'
export { type Observation, ThresholdWatch, type ThresholdWatchOptions } from './threshold/threshold-watch.ts'
