/** Takes the partial values of one aggregate in one group, as text, and gives the whole. */
export interface Accumulator {
  add(row: readonly (string | null)[]): void
  /** As PostgreSQL would write it. */
  result(): string | null
}
