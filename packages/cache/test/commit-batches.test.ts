import type { Commit, CommitScope } from '@shardwright/core'
import { expect, it } from 'vitest'
import { CommitBatches } from '../src/cache/commit-batches.ts'

/** A transaction whose end the test tells. */
class Told implements CommitScope {
  readonly wrote = true
  readonly #commits: ((commit: Commit) => void | Promise<void>)[] = []
  readonly #rollbacks: (() => void | Promise<void>)[] = []

  afterCommit(hook: (commit: Commit) => void | Promise<void>): void {
    this.#commits.push(hook)
  }

  afterRollback(hook: () => void | Promise<void>): void {
    this.#rollbacks.push(hook)
  }

  async committed(commit: Commit): Promise<void> {
    for (const hook of this.#commits) await hook(commit)
  }

  async rolledBack(): Promise<void> {
    for (const hook of this.#rollbacks) await hook()
  }
}

function batchesOf() {
  const did: string[] = []
  const batches = new CommitBatches(
    async (keys, { pending }) => void did.push(`${keys.join(' ')}: ${pending ?? 'over'}`),
  )
  const scope = new Told()
  const put = (key: string) => batches.add(scope, [key], async () => void did.push(`put ${key}`))
  put('a')
  put('b')
  return { did, scope }
}

it('sends one message for all writes of a commit', async () => {
  const { did, scope } = batchesOf()
  await scope.committed({ tokens: [] })
  expect(did).toEqual(['a b: over', 'put a', 'put b'])
})

it.each(['in doubt', 'unsettled'] as const)('sends another when a commit that was %s is over', async (pending) => {
  const { did, scope } = batchesOf()
  await scope.committed({ tokens: [], pending })
  expect(did).toEqual([`a b: ${pending}`])
  await scope.committed({ tokens: [] })
  expect(did).toEqual([`a b: ${pending}`, 'a b: over', 'put a', 'put b'])
})

it('sends nothing more when the doubt ends in a rollback', async () => {
  const { did, scope } = batchesOf()
  await scope.committed({ tokens: [], pending: 'in doubt' })
  await scope.rolledBack()
  await scope.committed({ tokens: [] })
  expect(did).toEqual(['a b: in doubt'])
})
