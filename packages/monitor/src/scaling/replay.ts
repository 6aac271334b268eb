import { decideChecked, type ScalingAction } from './decide.ts'
import { type HistoryPoint, parseHistoryPoints, type ScalingChange } from './history.ts'
import { parseScalingRules, type ScalingRule } from './scaling-rule.ts'

export interface ReplayStep {
  readonly point: HistoryPoint
  readonly actions: readonly ScalingAction[]
  /** After the actions. */
  readonly sizes: Readonly<Record<string, number>>
}

export interface Replay {
  readonly steps: readonly ReplayStep[]
  readonly actions: readonly (ScalingAction & { readonly atMs: number })[]
  readonly rules: readonly ScalingRule[]
}

/**
 * What the rules would have done over recorded metrics: a decision at every point. The recording does not react to the
 * actions, so it tells when rules fire, not how the load would have gone on.
 * @throws MonitorError MONITOR_INVALID_OPTIONS
 * @example
 * const { actions } = replayRules(rules, JSON.parse(await readFile('metrics.json', 'utf8')), { replicas: 1 })
 */
export function replayRules(
  rules: readonly ScalingRule[],
  points: readonly HistoryPoint[],
  sizes: Readonly<Record<string, number>>,
): Replay {
  const checked = parseScalingRules(rules)
  const recorded = parseHistoryPoints(points)
  const changes: ScalingChange[] = []
  const steps: ReplayStep[] = []
  let current = sizes
  recorded.forEach((point, index) => {
    const { atMs } = point
    const history = { nowMs: atMs, points: recorded.slice(firstNeeded(index), index + 1), changes, sizes: current }
    const { actions } = decideChecked(checked, history)
    for (const { target, to } of actions) {
      changes.push({ atMs, target })
      current = Object.freeze({ ...current, [target]: to })
    }
    steps.push(Object.freeze({ point, actions, sizes: current }))
  })
  const actions = steps.flatMap((step) => step.actions.map((action) => ({ ...action, atMs: step.point.atMs })))
  return Object.freeze({ steps, actions, rules: checked })

  /** Walks back over what any rule can look at, so that a long recording is not read again at every point. */
  function firstNeeded(index: number): number {
    const { atMs } = recorded[index] as HistoryPoint
    const spanMs = Math.max(0, ...checked.map((rule) => Math.max(rule.periods * rule.periodMs, rule.coolDownMs)))
    let first = index
    while (first > 0 && Math.abs(atMs - (recorded[first - 1] as HistoryPoint).atMs) <= spanMs) first--
    // One more, which shows where the clock went back.
    return Math.max(0, first - 1)
  }
}
