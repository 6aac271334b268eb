/** Every code that @shardwright/monitor throws or reports: what it means and what to do. docs/errors.md is generated from it. */
export const monitorErrorCodes = {
  MONITOR_INVALID_OPTIONS: {
    meaning: 'An option, a metric definition or a scaling rule is not usable.',
    remedy: 'Correct the field that the message names.',
  },
  HISTOGRAMS_DIFFER: {
    meaning: 'Two histograms with different errors or ranges cannot be merged.',
    remedy: 'Make both with the same relativeError and smallest.',
  },
  COLLECTOR_FAILED: {
    meaning: 'A measurement of a shard failed; its metrics are missing in this round, not zero.',
    remedy: 'Read the SQLSTATE; grant pg_monitor to the role when the view hides its columns.',
  },
  STATEMENTS_UNAVAILABLE: {
    meaning: 'The extension pg_stat_statements is not there, so slow statements are unknown.',
    remedy: 'Add it to shared_preload_libraries and run CREATE EXTENSION pg_stat_statements.',
  },
  ALERT_NOT_DELIVERED: {
    meaning: 'An alert did not reach its destination.',
    remedy: 'Check the address; the alert is told again at its next change.',
  },
  CALLER_REPORT_FAILED: {
    meaning: 'A process could not write what it has seen of its statements; the doctor does not see it.',
    remedy: 'Run `callerReportsSql` in a migration and grant the role SELECT, INSERT, UPDATE and DELETE on the table.',
  },
  SCALING_NOT_POSSIBLE: {
    meaning: 'A scaling target cannot take the size that a rule asks for.',
    remedy: 'Correct the minimum, the maximum or the increment of the rule, or what the message names.',
  },
  SCALING_TARGET_BUSY: {
    meaning: 'A scaling target is being changed and takes no other change now.',
    remedy: 'Nothing: the next round tries again.',
  },
} as const

/** A code of `monitorErrorCodes`. */
export type MonitorErrorCode = keyof typeof monitorErrorCodes
