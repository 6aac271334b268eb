import type { Fleet } from '@shardwright/core'
import type { HotKeys } from '../keys/hot-keys.ts'
import type { CallerTelemetry } from '../telemetry/caller-telemetry.ts'
import type { Advice } from './advice.ts'
import type { AdviceReport, Advisor } from './advisor.ts'
import { hotKeyAdvice } from './callers/hot-key-advice.ts'
import { scatterAdvice } from './callers/scatter-advice.ts'
import { duplicateIndexes } from './indexes/duplicate-indexes.ts'
import { missingIndexes } from './indexes/missing-indexes.ts'
import { unusedIndexes } from './indexes/unused-indexes.ts'
import { explainedPlans } from './plans/explained-plans.ts'
import type { Machine } from './settings/server-settings.ts'
import { settingsAdvice } from './settings/settings-advice.ts'
import { slowStatementsAdvice } from './statements/slow-statements-advice.ts'

export interface AdviseOptions {
  readonly fleet: Fleet
  /** Default: all. */
  readonly advisors?: readonly Advisor[] | undefined
  /** The machine of every server, where they cannot be asked. */
  readonly machine?: Machine | undefined
  /** For statements that scatter. */
  readonly telemetry?: Pick<CallerTelemetry, 'scatters'> | undefined
  /** For hot keys. */
  readonly keys?: Pick<HotKeys, 'top'> | undefined
}

/** Indexes that are unused, doubled or missing. */
export const indexAdvisors: readonly Advisor[] = Object.freeze([unusedIndexes, duplicateIndexes, missingIndexes])

/** Statements that are slow, and plans that read tables whole. */
export const statementAdvisors: readonly Advisor[] = Object.freeze([slowStatementsAdvice, explainedPlans])

/**
 * What could be better on the servers and at the callers. Never throws for a shard: `failures` says what was not seen.
 * @example
 * const { advice } = await advise({ fleet: router.fleet, telemetry, keys })
 * for (const { message, remedy } of advice) console.log(`${message} -> ${remedy}`)
 */
export async function advise({ fleet, advisors, machine, telemetry, keys }: AdviseOptions): Promise<AdviceReport> {
  const chosen = advisors ?? [...indexAdvisors, ...statementAdvisors, settingsAdvice({ machine })]
  const reports = await Promise.all(chosen.map((advisor) => advisor.advise(fleet)))
  const advice: Advice[] = [
    ...reports.flatMap((report) => report.advice),
    ...scatterAdvice(telemetry?.scatters() ?? []),
    ...hotKeyAdvice(keys?.top() ?? []),
  ]
  return Object.freeze({ advice, failures: reports.flatMap((report) => report.failures) })
}
