/** One figure; `against` says what it is a ratio to, taken in the same run. */
export interface BenchResult {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly against: string
  /** How many ratios the median is of. */
  readonly samples: number
}

/** A file in bench/ exports one as `bench`. */
export interface Bench {
  /** What the runner's filter is matched with. */
  readonly name: string
  run(): Promise<BenchResult | readonly BenchResult[]>
}
