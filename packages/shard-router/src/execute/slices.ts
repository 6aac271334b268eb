/** The rows in pieces of at most `size`. */
export function* slices<T>(rows: readonly T[], size: number): Generator<T[], void, undefined> {
  for (let at = 0; at < rows.length; at += size) yield rows.slice(at, at + size)
}
