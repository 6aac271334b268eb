import type { Commit, CommitScope } from '@shardwright/core'

/** What one write of a transaction asks for. */
interface Item {
  readonly keys: readonly string[]
  readonly afterwards: (() => Promise<void>) | undefined
}

interface Batch {
  readonly items: Set<Item>
  sent: { readonly commit: Commit; readonly done: Promise<void> } | undefined
}

/**
 * Gathers the invalidations of a transaction, so that a thousand writes make one message. A savepoint's rollback takes
 * out its own; when the first hook of the commit runs, what is left is known to be committed.
 */
export class CommitBatches {
  readonly #batches = new WeakMap<CommitScope, Batch>()
  readonly #send: (keys: readonly string[], commit: Commit) => Promise<unknown>

  constructor(send: (keys: readonly string[], commit: Commit) => Promise<unknown>) {
    this.#send = send
  }

  add(scope: CommitScope, keys: readonly string[], afterwards?: () => Promise<void>): void {
    const batch = this.#batches.get(scope) ?? { items: new Set<Item>(), sent: undefined }
    this.#batches.set(scope, batch)
    const item: Item = { keys, afterwards }
    batch.items.add(item)
    // Each write has its own hooks: one that a savepoint's rollback drops must not take the others with it.
    scope.afterRollback(() => void batch.items.delete(item))
    scope.afterCommit(async (commit) => {
      if (!batch.items.has(item)) return
      // A commit that was in doubt, or not to be seen everywhere, is told of twice.
      if (batch.sent?.commit !== commit) batch.sent = { commit, done: this.#flush(batch, commit) }
      await batch.sent.done
    })
  }

  async #flush(batch: Batch, commit: Commit): Promise<void> {
    const items = [...batch.items]
    await this.#send([...new Set(items.flatMap((item) => item.keys))], commit)
    if (commit.pending !== undefined) return
    for (const item of items) await item.afterwards?.()
  }
}
