import type { PgClient } from '@shardwright/core'
import type { Batch } from './batch.ts'
import type { Lease, RunOptions, Statement, StatementResult } from './shard-pool.ts'
import type { TopologyGate } from './topology-gate.ts'

// What a transaction did stands with its first statements: a change of the topology waits for it until it is over.
const controlsTransaction =
  /^\s*(?:begin|start|commit|end|rollback|abort|prepare\s+transaction|savepoint|release|set)\b/i

/** A lease that counts as work of its epoch until it is given back. Its server asks the gate before each statement. */
export class GatedLease implements Lease {
  readonly #inner: Lease
  readonly #gate: TopologyGate
  readonly #shardId: string
  readonly #leave: () => void

  constructor(inner: Lease, gate: TopologyGate, shardId: string, leave: () => void) {
    this.#inner = inner
    this.#gate = gate
    this.#shardId = shardId
    this.#leave = leave
  }

  get shard(): number {
    return this.#inner.shard
  }

  get client(): PgClient {
    return this.#inner.client
  }

  get session(): Lease['session'] {
    return this.#inner.session
  }

  get processId(): number {
    return this.#inner.processId
  }

  get takesBatches(): boolean | undefined {
    return this.#inner.takesBatches
  }

  async execute(statement: Statement, options?: RunOptions, batch?: Batch): Promise<StatementResult> {
    const result = await this.#inner.execute(statement, options, batch)
    if (!controlsTransaction.test(statement.sql)) this.#gate.check(this.#shardId, true)
    return result
  }

  stream(statement: Statement, chunkSize: number, options?: RunOptions): AsyncIterableIterator<StatementResult> {
    this.#gate.check(this.#shardId)
    return this.#inner.stream(statement, chunkSize, options)
  }

  cancel(): Promise<void> {
    return this.#inner.cancel()
  }

  kill(): Promise<void> {
    return this.#inner.kill()
  }

  release(): Promise<void> | undefined {
    const released = this.#inner.release()
    this.#leave()
    return released
  }

  destroy(error?: unknown): void {
    this.#inner.destroy(error)
    this.#leave()
  }
}
