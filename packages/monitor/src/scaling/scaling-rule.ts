import { z } from 'zod'
import { parseOptions } from '../errors/parse-options.ts'

/** One rule, as data. Up and down are rules of their own. */
export interface ScalingRule {
  readonly name: string
  /** What changes size: `replicas`, `capacity`, `shards`; a name of yours. */
  readonly target: string
  readonly metric: string
  readonly direction: 'up' | 'down'
  /** Up: when every period is above it. Down: when every period is below it. */
  readonly threshold: number
  readonly periodMs: number
  /** So many periods in a row. */
  readonly periods: number
  /** How a period of several values counts. Default: `average`. */
  readonly statistic?: 'average' | 'max' | 'min' | undefined
  /** How much is added or taken away. */
  readonly increment: number
  /** No action of this rule so long after any change of its target. */
  readonly coolDownMs: number
  readonly minimum: number
  readonly maximum: number
}

const ruleShape = z
  .strictObject({
    name: z.string().min(1),
    target: z.string().min(1),
    metric: z.string().min(1),
    direction: z.enum(['up', 'down']),
    threshold: z.number(),
    periodMs: z.number().positive(),
    periods: z.int().positive(),
    statistic: z.enum(['average', 'max', 'min']).default('average'),
    increment: z.number().positive(),
    coolDownMs: z.number().nonnegative(),
    minimum: z.number().nonnegative(),
    maximum: z.number().positive(),
  })
  .refine(({ minimum, maximum }) => minimum <= maximum, { message: 'minimum must not exceed maximum' })

const rulesShape = z.array(ruleShape).superRefine((rules, context) => {
  const names = new Set<string>()
  for (const rule of rules) {
    if (names.has(rule.name)) context.addIssue(`two rules are named ${rule.name}`)
    names.add(rule.name)
  }
  for (const up of rules) {
    for (const down of rules) {
      const same = up.direction === 'up' && down.direction === 'down' && up.target === down.target
      // Otherwise one value calls for both, and the size swings for ever.
      if (same && up.metric === down.metric && down.threshold >= up.threshold) {
        context.addIssue(`${down.name} scales down at ${down.threshold}, where ${up.name} scales up at ${up.threshold}`)
      }
    }
  }
})

/** A rule whose defaults are filled in. */
export type ResolvedRule = z.output<typeof ruleShape>

/**
 * Rules from a file or a program, checked.
 * @throws MonitorError MONITOR_INVALID_OPTIONS
 */
export function parseScalingRules(rules: unknown): readonly ResolvedRule[] {
  return parseOptions('The scaling rules', rulesShape, rules)
}
