/** The rows that a statement would bring to one node are more than the cluster allows. */
export function isTooLarge(error: unknown): boolean {
  return error instanceof Error && /intermediate result size exceeds/.test(error.message)
}
