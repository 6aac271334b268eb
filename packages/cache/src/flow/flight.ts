import type { Entry } from '../tiers/entry.ts'

/** How one reading of an entry ended. */
export interface Outcome {
  readonly value: unknown
  /** Set when callers must get copies. */
  readonly entry: Entry | undefined
  /** True when no invalidation came between the beginning and the end: then all who joined may have the value. */
  readonly verified: boolean
}

/** One reading of one key that is under way in this process, with all callers that joined it. */
export class Flight {
  readonly key: string
  /** Callers with a smaller number came before it began. */
  readonly sequence: number
  /** An invalidation came: late comers must not join, and what it finds is not kept. */
  dirty = false
  promise: Promise<Outcome> = neverStarted

  constructor(key: string, sequence: number) {
    this.key = key
    this.sequence = sequence
  }
}

const neverStarted: Promise<Outcome> = new Promise(() => undefined)
