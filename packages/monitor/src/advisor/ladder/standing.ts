import { type RungName, rungs } from './rungs.ts'
import type { SystemFacts } from './system-facts.ts'

export interface RungStanding {
  readonly rung: RungName
  readonly inUse: boolean | undefined
  readonly need: string | undefined
}

/** Where a system stands on the ladder. */
export interface Standing {
  /** The highest rung in use; undefined when none is. */
  readonly rung: RungName | undefined
  /** The lowest rung that is needed and not in use, or a rung in use whose need has come back; undefined: stay. */
  readonly next: { readonly rung: RungName; readonly step: string; readonly why: string } | undefined
  readonly rungs: readonly RungStanding[]
}

/** Shards are added to shards; the other rungs help once. */
const helpsAgain: ReadonlySet<RungName> = new Set(['indexes', 'shards'])

/**
 * Where a system stands on the ladder of growth (indexes, pool, cache, replicas, partitions, shards, Citus), and the next step
 * with its reason; pure.
 * @example
 * const { next } = standingOf(facts)
 * if (next) console.log(`${next.step} ${next.why}`)
 */
export function standingOf(facts: SystemFacts): Standing {
  const standings = rungs.map((rung) => ({ rung: rung.name, inUse: rung.inUse(facts), need: rung.need(facts) }))
  const needed = standings.find(
    ({ rung, inUse, need }) => need !== undefined && (inUse !== true || helpsAgain.has(rung)),
  )
  const step = rungs.find(({ name }) => name === needed?.rung)?.step
  return Object.freeze({
    rung: standings.findLast(({ inUse }) => inUse === true)?.rung,
    next: needed?.need !== undefined && step !== undefined ? { rung: needed.rung, step, why: needed.need } : undefined,
    rungs: standings,
  })
}
