/** What travels with a statement, in one batch: the server skips what stands behind a statement that failed. */
export interface Batch {
  /** Runs when what stands in front, BEGIN as a rule, was answered; the statement may still run. */
  readonly onBegun?: () => void
  /** Runs when the statement itself was answered with success. */
  readonly onAnswered?: () => void
  /**
   * Commands to send behind the statement, separated by semicolons; undefined: none. The batch is not over before they
   * are known: the promise has to be kept, and never to be broken.
   */
  readonly behind?: () => string | undefined | Promise<string | undefined>
}

/** The answer of the last command behind a statement. */
export interface BehindResult {
  /** The command tag's verb. */
  readonly command: string
  /** The last row of wire text that these commands gave. */
  readonly row: readonly (string | null)[] | undefined
}
