import { currentTimeline, type HistoryPoint, type ScalingHistory } from './history.ts'
import { parseScalingRules, type ResolvedRule, type ScalingRule } from './scaling-rule.ts'

/** What one rule says, and why. */
export interface RuleVerdict {
  readonly rule: string
  readonly verdict: 'fires' | 'not-reached' | 'missing-data' | 'cool-down' | 'at-limit' | 'overruled'
  readonly reason: string
}

export interface ScalingAction {
  readonly target: string
  readonly rule: string
  readonly direction: 'up' | 'down'
  readonly from: number
  readonly to: number
  readonly reason: string
}

export interface ScalingDecision {
  /** At most one per target. */
  readonly actions: readonly ScalingAction[]
  /** One per rule, in their order. */
  readonly verdicts: readonly RuleVerdict[]
}

/**
 * What the rules ask for, from the history alone: the same history always gives the same decision. Missing data asks for
 * nothing; up goes before down, and down waits while any up rule of its target has no data.
 * @throws MonitorError MONITOR_INVALID_OPTIONS
 * @example
 * const { actions } = decide(rules, { nowMs: Date.now(), points, changes: [], sizes: { replicas: 2 } })
 */
export function decide(rules: readonly ScalingRule[], history: ScalingHistory): ScalingDecision {
  return decideChecked(parseScalingRules(rules), history)
}

/** As `decide`, for rules that were checked before. */
export function decideChecked(rules: readonly ResolvedRule[], history: ScalingHistory): ScalingDecision {
  const points = currentTimeline(history.points, history.nowMs)
  const verdicts = new Map(rules.map((rule) => [rule.name, judge(rule, points, history)]))
  const actions: ScalingAction[] = []
  for (const target of new Set(rules.map((rule) => rule.target))) {
    const action = actionOf(
      rules.filter((rule) => rule.target === target),
      verdicts,
      history,
    )
    if (action) actions.push(action)
  }
  return Object.freeze({ actions, verdicts: [...verdicts.values()] })
}

function judge(rule: ResolvedRule, points: readonly HistoryPoint[], history: ScalingHistory): RuleVerdict {
  const { name, metric, direction, threshold, periods } = rule
  const say = (verdict: RuleVerdict['verdict'], reason: string): RuleVerdict => ({ rule: name, verdict, reason })
  const size = history.sizes[rule.target]
  if (size === undefined) return say('missing-data', `the size of ${rule.target} is not known`)
  const values = Array.from({ length: periods }, (_, back) =>
    periodValue(rule, points, history.nowMs - back * rule.periodMs),
  )
  const gap = values.indexOf(undefined)
  if (gap >= 0) return say('missing-data', `${metric} has no value ${gap === 0 ? 'now' : `${gap} periods ago`}`)
  const up = direction === 'up'
  const reached = (values as number[]).every((value) => (up ? value > threshold : value < threshold))
  const side = up ? 'above' : 'below'
  if (!reached) return say('not-reached', `${metric} was not ${side} ${threshold} for ${periods} periods`)
  if (up ? size >= rule.maximum : size <= rule.minimum) {
    return say(
      'at-limit',
      `${rule.target} is ${size}, its ${up ? 'maximum' : 'minimum'} is ${up ? rule.maximum : rule.minimum}`,
    )
  }
  const restMs = coolDownLeft(rule, points, history)
  if (restMs > 0) return say('cool-down', `${rule.target} changed lately: ${Math.ceil(restMs / 1000)} s to wait`)
  return say('fires', `${metric} was ${side} ${threshold} for ${periods} periods`)
}

/** The value of the period that ends at `endMs`, its end included. */
function periodValue(rule: ResolvedRule, points: readonly HistoryPoint[], endMs: number): number | undefined {
  const values = points
    .filter(({ atMs }) => atMs > endMs - rule.periodMs && atMs <= endMs)
    .map((point) => point.values[rule.metric])
    .filter((value) => value !== undefined && Number.isFinite(value)) as number[]
  if (values.length === 0) return undefined
  if (rule.statistic === 'max') return values.reduce((a, b) => Math.max(a, b))
  if (rule.statistic === 'min') return values.reduce((a, b) => Math.min(a, b))
  return values.reduce((a, b) => a + b, 0) / values.length
}

function coolDownLeft(rule: ResolvedRule, points: readonly HistoryPoint[], history: ScalingHistory): number {
  const { nowMs } = history
  const timelineStart = points[0]?.atMs ?? nowMs
  const left = history.changes
    .filter(({ target }) => target === rule.target)
    // A change that lies in the future was before the clock went back: at the latest when this time line began.
    .map(({ atMs }) => rule.coolDownMs - (nowMs - (atMs > nowMs ? timelineStart : atMs)))
  return left.reduce((a, b) => Math.max(a, b), 0)
}

function actionOf(
  rules: readonly ResolvedRule[],
  verdicts: Map<string, RuleVerdict>,
  history: ScalingHistory,
): ScalingAction | undefined {
  const verdictOf = (rule: ResolvedRule) => (verdicts.get(rule.name) as RuleVerdict).verdict
  const ups = rules.filter(({ direction }) => direction === 'up')
  const up = largest(ups.filter((rule) => verdictOf(rule) === 'fires'))
  const downs = rules.filter((rule) => rule.direction === 'down' && verdictOf(rule) === 'fires')
  // An up rule that calls, even in vain, or cannot see, forbids to go down.
  const forbids = ups.find((rule) => verdictOf(rule) !== 'not-reached')
  // Down goes as far as all down rules agree on, so the smallest step.
  const down = forbids ? undefined : downs.toSorted((a, b) => a.increment - b.increment)[0]
  const chosen = up ?? down
  for (const rule of downs) if (rule !== chosen) overrule(verdicts, rule, forbids ?? chosen)
  for (const rule of ups) if (rule !== chosen && verdictOf(rule) === 'fires') overrule(verdicts, rule, chosen)
  return chosen && actionBy(chosen, history, verdicts)
}

function largest(rules: readonly ResolvedRule[]): ResolvedRule | undefined {
  return rules.toSorted((a, b) => b.increment - a.increment)[0]
}

function overrule(verdicts: Map<string, RuleVerdict>, rule: ResolvedRule, by: ResolvedRule | undefined): void {
  verdicts.set(rule.name, {
    rule: rule.name,
    verdict: 'overruled',
    reason: `${by?.name ?? 'another rule'} goes before`,
  })
}

function actionBy(rule: ResolvedRule, history: ScalingHistory, verdicts: Map<string, RuleVerdict>): ScalingAction {
  const { target, direction, increment, minimum, maximum, name } = rule
  const from = history.sizes[target] as number
  const to = direction === 'up' ? Math.min(maximum, from + increment) : Math.max(minimum, from - increment)
  return Object.freeze({ target, rule: name, direction, from, to, reason: verdicts.get(name)?.reason ?? '' })
}
