import type { TelemetryScope } from '@shardwright/core'

/** Reads a stream inside a span: what its reader does between two chunks is not in it. */
export async function* streamWithin<T>(
  scope: TelemetryScope,
  chunks: AsyncIterableIterator<T>,
): AsyncGenerator<T, void, undefined> {
  try {
    for (;;) {
      const step = await scope.run(() => chunks.next())
      if (step.done === true) return
      yield step.value
    }
  } finally {
    await scope.run(async () => await chunks.return?.())
  }
}

/** The same for a span that is the stream's own, and ends with it. */
export async function* streamAsSpan<T>(
  scope: TelemetryScope,
  chunks: AsyncIterableIterator<T>,
): AsyncGenerator<T, void, undefined> {
  let failure: { readonly error: unknown } | undefined
  try {
    yield* streamWithin(scope, chunks)
  } catch (error) {
    failure = { error }
    throw error
  } finally {
    scope.end(failure)
  }
}
