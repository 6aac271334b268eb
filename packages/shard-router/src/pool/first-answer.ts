/**
 * The answer of `running`, or, when it takes longer than `afterMs`, of whichever is first of it and `other`. Fails only
 * when both fail. The loser is left alone: reads do no harm.
 */
export function firstAnswer<T>(running: Promise<T>, afterMs: number, other: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    let second: Promise<T> | undefined
    const timer = setTimeout(() => {
      second = other()
      second.then(resolve, () => running.catch(reject))
    }, afterMs)
    running.then(
      (value) => {
        clearTimeout(timer)
        resolve(value)
      },
      (error: unknown) => {
        clearTimeout(timer)
        if (second === undefined) reject(error)
        else second.catch(() => reject(error))
      },
    )
  })
}
