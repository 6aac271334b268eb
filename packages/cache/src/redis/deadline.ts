/** Redis did not answer in time; the command may still be executed. */
export class RedisDeadlineError extends Error {
  constructor(budgetMs: number) {
    super(`Redis did not answer within ${budgetMs} ms`)
    this.name = 'RedisDeadlineError'
  }
}

/** The outcome of `work`, or a `RedisDeadlineError` after `budgetMs`. */
export function withDeadline<T>(work: Promise<T>, budgetMs: number): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => reject(new RedisDeadlineError(budgetMs)), budgetMs)
    work.then(
      (value) => {
        clearTimeout(timer)
        resolve(value)
      },
      (error: unknown) => {
        clearTimeout(timer)
        reject(error)
      },
    )
  })
}
