export type AdviceTopic = 'indexes' | 'statements' | 'plans' | 'settings' | 'scatters' | 'keys' | 'ladder'

/** Something that could be better, and what to do. */
export interface Advice {
  readonly topic: AdviceTopic
  /** `warning`: it costs or endangers something now. */
  readonly severity: 'warning' | 'advice'
  /** Where it was seen; empty when it is about the fleet or its callers. */
  readonly shards: readonly string[]
  /** An index, a table, a statement, a setting. */
  readonly object: string
  readonly message: string
  readonly remedy: string
}
