import type { StatementResult } from '../pool/shard-pool.ts'

type Next = () => Promise<IteratorResult<StatementResult>>

/** A stream of a transaction, each chunk read through `read`: it may outlive the transaction, whose session it must not use then. */
export async function* whileOpen(
  chunks: AsyncIterableIterator<StatementResult>,
  read: (next: Next) => Promise<IteratorResult<StatementResult>>,
): AsyncGenerator<StatementResult, void, undefined> {
  try {
    for (;;) {
      const step = await read(() => chunks.next())
      if (step.done === true) return
      yield step.value
    }
  } finally {
    await chunks.return?.()
  }
}
