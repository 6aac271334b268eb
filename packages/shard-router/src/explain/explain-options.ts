import type { Compilable, CompiledQuery } from 'kysely'
import { fanOutMode, keyedMode, type Mode } from '../dialect/mode.ts'
import type { ExplainFigures } from './explain-query.ts'

/** A query builder, or what it compiled to. */
export type Explainable = Compilable | CompiledQuery

/** Which door is explained, and which figures are asked for. */
export interface ExplainOptions {
  /** False: refuses what `router.db` would refuse. Default: true. */
  readonly fanOut?: boolean | undefined
  /** The key that `router.for` was given. */
  readonly for?: Readonly<Record<string, unknown>> | undefined
  /** Ask the planner of each shard for the rows it expects; false: nothing is asked. Default: true. */
  readonly costs?: boolean | undefined
  /** Run the query, and measure rows and milliseconds on each shard; not for what may write. Default: false. */
  readonly analyze?: boolean | undefined
}

/** The door that is explained, by what the options ask; `confined` makes the one of a key. */
export function explainedMode(
  { for: key, fanOut }: ExplainOptions,
  confined: (key: NonNullable<ExplainOptions['for']>) => Mode,
): Mode {
  if (key) return confined(key)
  return fanOut === false ? keyedMode : fanOutMode
}

export function figuresOf({ costs = true, analyze = false }: ExplainOptions): ExplainFigures {
  return { costs, analyze }
}
