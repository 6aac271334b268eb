/**
 * The rows of a chunk for `yield*` in Kysely's stream(). An iterator that gives its rows without promises of its own spares
 * two promises per row of those that the language makes for a plain array.
 */
export function streamedRows<R>(rows: readonly R[]): R[] {
  return Object.defineProperty(rows as R[], Symbol.asyncIterator, { value: rowsOf })
}

interface Step<R> {
  readonly value: R | undefined
  readonly done: boolean
}

function rowsOf<R>(this: readonly R[]): { next(): Step<R> } {
  let at = 0
  return {
    next: () => (at < this.length ? { value: this[at++], done: false } : { value: undefined, done: true }),
  }
}
