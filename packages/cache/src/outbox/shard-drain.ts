import type { Clock, FleetConnection, FleetShard, Telemetry } from '@shardwright/core'

/** A write that was noticed; `row_id` is null for TRUNCATE. */
export interface NoticedWrite {
  readonly table_name: string
  readonly row_id: Readonly<Record<string, string>> | null
  readonly age_ms: number
}

export interface DrainRequest {
  readonly namespace: string
  readonly tables: readonly string[]
  /** What another process is about to deliver: passed over, or waited for. */
  readonly locked: 'skip' | 'wait'
  readonly deliver: (writes: readonly NoticedWrite[]) => Promise<void>
}

/**
 * Begins the transaction of one batch. A process that is stopped or cut off in the middle must not keep its rows from the
 * others: the server ends a session that is silent for `heldMs` and lets go of its locks.
 */
export async function beginBatch(connection: FleetConnection): Promise<void> {
  await connection.script(`begin; set local idle_in_transaction_session_timeout = ${heldMs}`)
}

const heldMs = 1_000

/** Delivers one batch of a shard and then forgets it there; `more` when another batch may be waiting. */
export type DrainBatch = (
  connection: FleetConnection,
  request: DrainRequest,
) => Promise<{ readonly count: number; readonly more: boolean }>

export interface DrainOptions {
  readonly pollMs: number
  readonly clock: Clock
  readonly telemetry: Telemetry
}

/** The draining of one shard, over a connection of its own that is opened again when it breaks. */
export class ShardDrain {
  readonly #shard: FleetShard
  readonly #options: DrainOptions
  readonly #drain: (connection: FleetConnection, locked: 'skip' | 'wait') => Promise<boolean>
  readonly #stop = new AbortController()
  #connection: FleetConnection | undefined
  #turn: Promise<unknown> = Promise.resolve()
  #running: Promise<void> | undefined

  constructor(
    shard: FleetShard,
    options: DrainOptions,
    drain: (connection: FleetConnection, locked: 'skip' | 'wait') => Promise<boolean>,
  ) {
    this.#shard = shard
    this.#options = options
    this.#drain = drain
  }

  /** Looks every `pollMs`, as long as what is found can be delivered. */
  start(up: () => boolean): void {
    this.#running ??= this.#run(up)
  }

  /** One at a time on the connection. */
  drainAll(locked: 'skip' | 'wait'): Promise<void> {
    const turn = this.#turn.then(() => this.#drainNow(locked))
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#running
    await this.#turn
    await this.#connection?.release()
  }

  async #run(up: () => boolean): Promise<void> {
    const { clock, pollMs } = this.#options
    while (!this.#stop.signal.aborted) {
      if (up()) await this.drainAll('skip').catch((error: unknown) => this.#failed(error))
      const pauseMs = pollMs * (0.8 + Math.random() * 0.2)
      await clock.sleep(pauseMs, { signal: this.#stop.signal, unref: true }).catch(() => undefined)
    }
  }

  #failed(error: unknown): void {
    const { telemetry } = this.#options
    const message = error instanceof Error ? error.message : 'unknown trouble'
    telemetry.count('shardwright.cache.outbox_failures', 1, { shard: this.#shard.id })
    telemetry.log('warn', `The outbox of shard ${this.#shard.id} could not be drained: ${message}`)
  }

  async #drainNow(locked: 'skip' | 'wait'): Promise<void> {
    if (this.#stop.signal.aborted) return
    this.#connection ??= await this.#shard.connect({ applicationName: 'shardwright cache outbox' })
    try {
      while (await this.#drain(this.#connection, locked)) if (this.#stop.signal.aborted) return
    } catch (error) {
      const broken = this.#connection
      this.#connection = undefined
      await broken.release().catch(() => undefined)
      throw error
    }
  }
}
