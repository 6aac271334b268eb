/** What is to be undone, last first. Every step is tried, whatever the others do. */
export class CleanUp {
  readonly #steps: (() => Promise<void>)[] = []

  add(step: () => Promise<void>): void {
    this.#steps.push(step)
  }

  async run(): Promise<void> {
    const failures: unknown[] = []
    for (const step of this.#steps.splice(0).reverse()) await step().catch((error: unknown) => failures.push(error))
    if (failures.length === 1) throw failures[0]
    if (failures.length > 1) throw new AggregateError(failures, 'several servers could not be ended')
  }

  /** Runs `work`; when it fails, cleans up and fails with its error. */
  async onFailure<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      await this.run().catch((failure: unknown) => {
        throw new AggregateError([error, failure], 'starting failed, and so did cleaning up')
      })
      throw error
    }
  }
}
