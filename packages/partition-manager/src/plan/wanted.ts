import type { Period } from '../calendar/calendar.ts'
import { firstPosition, least, type Position, wallPosition } from '../calendar/position.ts'
import type { PartitionPolicy } from '../policy/policy.ts'

/** One run creates at most so many partitions of a table; what is left is said and comes with the next run. */
export const maxCreatesPerRun = 1000

export interface Range {
  /** `undefined` is MINVALUE. */
  readonly lower: Position | undefined
  /** `undefined` is MAXVALUE. */
  readonly upper: Position | undefined
}

export interface WantedInput {
  readonly partitions: readonly Range[]
  readonly policy: PartitionPolicy
  /** The server's clock, an instant. */
  readonly now: Position
  readonly defaultMin: Position | undefined
}

export interface WantedWindow {
  /** The period that holds the present. */
  readonly current: Period
  /** All periods that should exist, in order; those that exist already are among them. */
  readonly periods: readonly Period[]
  readonly capped: boolean
  /** Where the window starts inside its first period because the oldest partition does; nothing is created before it. */
  readonly notBefore: Position | undefined
  /** Periods that end at or before this are wanted only for the rows that wait for them in DEFAULT. */
  readonly onlyForRowsBefore: Position
}

/** `now` on the axis of the policy's key: wall-time keys count on the wall of the set's zone. */
export function keyNow(policy: PartitionPolicy, now: Position): Position {
  return policy.key.wall ? wallPosition(now, policy.zone) : now
}

/** What ends at or before this is due for removal; `undefined` without a retention. */
export function retentionCutoff(policy: PartitionPolicy, now: Position): Position | undefined {
  return policy.retention && policy.calendar.subtract(keyNow(policy, now), policy.retention.keep)
}

/** The periods from the oldest one wanted to the last one ahead. */
export function wantedWindow({ partitions, policy, now, defaultMin }: WantedInput): WantedWindow {
  const { calendar } = policy
  const current = calendar.periodAt(keyNow(policy, now))
  let last = current
  for (let ahead = 0; ahead < policy.premake; ahead++) last = calendar.after(last)
  const oldest = oldestEdge(partitions)
  const base = startOf({ partitions, policy, now, defaultMin: undefined }, current)
  const start = startOf({ partitions, policy, now, defaultMin }, current)
  const first = calendar.periodAt(start)
  const notBefore = start === oldest ? oldest : undefined
  const onlyForRowsBefore = policy.fillGaps ? first.from : calendar.periodAt(base).from
  const periods: Period[] = []
  // The newest are the urgent ones: were the cap applied from the old end, the present could stay without a partition.
  for (let period = last; ; period = calendar.before(period)) {
    periods.push(period)
    if (period.from <= first.from) break
    if (periods.length === maxCreatesPerRun * 2)
      return { current, periods: periods.reverse(), capped: true, notBefore: undefined, onlyForRowsBefore }
  }
  return { current, periods: periods.reverse(), capped: false, notBefore, onlyForRowsBefore }
}

function startOf({ partitions, policy, now, defaultMin }: WantedInput, current: Period): Position {
  const candidates = [current.from]
  const oldest = oldestEdge(partitions)
  if (policy.fillGaps && oldest !== undefined) candidates.push(oldest)
  if (policy.from !== undefined && (oldest === undefined || policy.fillGaps)) candidates.push(policy.from)
  if (defaultMin !== undefined && policy.defaultRows === 'repair') candidates.push(defaultMin)
  const start = least(candidates)
  const cutoff = retentionCutoff(policy, now)
  // A period that retention would remove at once is never created: the first kept one ends after the cutoff.
  return cutoff !== undefined && start < cutoff ? cutoff : start
}

function oldestEdge(partitions: readonly Range[]): Position | undefined {
  const edges = partitions.flatMap(({ lower, upper }) => lower ?? upper ?? []).filter((edge) => edge !== firstPosition)
  return edges.length === 0 ? undefined : least(edges)
}
