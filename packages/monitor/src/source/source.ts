import type { Sample } from '../collect/sample.ts'

/** What this process has measured by itself: read once a round, never exported as gauges of their own. */
export interface Source {
  readonly name: string
  read(): readonly Sample[]
}
