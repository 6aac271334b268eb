import { defineMetrics } from '../define-metrics.ts'
import { limits } from '../limits.ts'

/** Durations are patience enough of their own: told at once. */
const atOnce = { forMs: 0, clearMs: 0 } as const

export const activityMetrics = defineMetrics('activity', {
  commits_per_second: { title: 'Commits', unit: '1/s' },
  rollbacks_per_second: { title: 'Rollbacks', unit: '1/s' },
  deadlocks_per_second: { title: 'Deadlocks', unit: '1/s' },
  locks: { title: 'Locks held, by mode', unit: 'count' },
  sessions_waiting_for_locks: { title: 'Sessions that wait for a lock', unit: 'count' },
  longest_lock_wait_seconds: {
    title: 'Longest wait for a lock',
    unit: 's',
    limits: limits({ warning: 5, critical: 30, ...atOnce, remedy: 'Find the blocker with pg_blocking_pids.' }),
  },
  longest_transaction_seconds: {
    title: 'Longest transaction',
    unit: 's',
    limits: limits({
      warning: 300,
      critical: 1800,
      ...atOnce,
      remedy: 'End it, or its client: it keeps dead rows from being cleaned away.',
    }),
  },
  longest_idle_in_transaction_seconds: { title: 'Longest idle in a transaction', unit: 's' },
  in_doubt_transactions: { title: 'Prepared transactions', unit: 'count' },
  oldest_in_doubt_seconds: {
    title: 'Oldest prepared transaction',
    unit: 's',
    limits: limits({
      warning: 60,
      critical: 600,
      ...atOnce,
      remedy: "Check that a process with the router's recovery runs; a prepared transaction holds its locks.",
    }),
  },
})
