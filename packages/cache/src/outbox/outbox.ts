import {
  type Clock,
  type Fleet,
  type FleetConnection,
  type FleetShard,
  noTelemetry,
  systemClock,
  type Telemetry,
} from '@shardwright/core'
import { z } from 'zod'
import type { Deliver, InvalidationSource } from '../cache/cache-options.ts'
import { parseOptions } from '../errors/parse-options.ts'
import { drainBatch, type OutboxRow } from './outbox-drain.ts'

export interface OutboxOptions {
  readonly fleet: Fleet
  /** How often each shard is looked at; the bound of staleness for writes that bypass the library. Default: 250. */
  readonly pollMs?: number
  readonly clock?: Clock
  readonly telemetry?: Telemetry
}

const optionsSchema = z.strictObject({
  fleet: z.custom<Fleet>((value) => Array.isArray((value as Fleet | undefined)?.shards), 'a Fleet is needed'),
  pollMs: z.number().min(10).default(250),
  clock: z.custom<Clock>().default(systemClock),
  telemetry: z.custom<Telemetry>().default(noTelemetry),
})

/**
 * Delivers what the triggers of `installOutbox` wrote down. Any number of processes may drain the same shards.
 * @throws CacheError CACHE_OPTIONS
 * @example
 * const cache = createCache({ namespace: 'shop', tiers, outbox: createOutbox({ fleet: router.fleet }) })
 */
export function createOutbox(options: OutboxOptions): InvalidationSource {
  return new Outbox(parseOptions('createOutbox', optionsSchema, options))
}

type TextsOf = (row: Readonly<Record<string, unknown>>) => readonly string[]

class Outbox implements InvalidationSource {
  readonly #options: z.output<typeof optionsSchema>
  readonly #tables = new Map<string, TextsOf[]>()
  readonly #shards: readonly ShardDrain[]
  #delivery: { readonly namespace: string; readonly deliver: Deliver } | undefined

  constructor(options: z.output<typeof optionsSchema>) {
    this.#options = options
    this.#shards = options.fleet.shards.map(
      (shard) => new ShardDrain(shard, options, (connection, locked) => this.#drain(connection, locked)),
    )
  }

  register(table: string, textsOf: TextsOf): void {
    this.#tables.set(table, [...(this.#tables.get(table) ?? []), textsOf])
  }

  start(namespace: string, deliver: Deliver): void {
    this.#delivery = { namespace, deliver }
    for (const shard of this.#shards) shard.start()
  }

  async catchUp(): Promise<void> {
    await Promise.all(this.#shards.map((shard) => shard.drainAll('wait')))
  }

  async close(): Promise<void> {
    await Promise.all(this.#shards.map((shard) => shard.close()))
  }

  async #drain(connection: FleetConnection, locked: 'skip' | 'wait'): Promise<boolean> {
    const { telemetry } = this.#options
    const { namespace, deliver } = this.#delivery!
    if (this.#tables.size === 0) return false
    const { count, more } = await drainBatch(connection, {
      namespace,
      tables: [...this.#tables.keys()],
      locked,
      deliver: async (rows) => {
        for (const row of rows) {
          telemetry.record('shardwright.cache.outbox_age_ms', row.age_ms, { shard: connection.shardId })
        }
        await deliver(this.#textsOf(rows))
      },
    })
    if (count > 0) telemetry.count('shardwright.cache.outbox_rows', count, { shard: connection.shardId })
    return more
  }

  #textsOf(rows: readonly OutboxRow[]): readonly string[] | 'everything' {
    const texts = new Set<string>()
    for (const row of rows) {
      // TRUNCATE names no rows.
      if (row.row_id === null) return 'everything'
      for (const textsOf of this.#tables.get(row.table_name) ?? []) {
        for (const text of textsOf(row.row_id)) texts.add(text)
      }
    }
    return [...texts]
  }
}

/** The draining of one shard, over a connection of its own that is opened again when it breaks. */
class ShardDrain {
  readonly #shard: FleetShard
  readonly #options: z.output<typeof optionsSchema>
  readonly #drain: (connection: FleetConnection, locked: 'skip' | 'wait') => Promise<boolean>
  readonly #stop = new AbortController()
  #connection: FleetConnection | undefined
  #turn: Promise<unknown> = Promise.resolve()
  #running: Promise<void> | undefined

  constructor(
    shard: FleetShard,
    options: z.output<typeof optionsSchema>,
    drain: (connection: FleetConnection, locked: 'skip' | 'wait') => Promise<boolean>,
  ) {
    this.#shard = shard
    this.#options = options
    this.#drain = drain
  }

  start(): void {
    this.#running ??= this.#run()
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

  async #run(): Promise<void> {
    const { clock, pollMs, telemetry } = this.#options
    while (!this.#stop.signal.aborted) {
      await this.drainAll('skip').catch((error: unknown) => {
        const message = error instanceof Error ? error.message : 'unknown trouble'
        telemetry.count('shardwright.cache.outbox_failures', 1, { shard: this.#shard.id })
        telemetry.log('warn', `The outbox of shard ${this.#shard.id} could not be drained: ${message}`)
      })
      const pauseMs = pollMs * (0.8 + Math.random() * 0.2)
      await clock.sleep(pauseMs, { signal: this.#stop.signal, unref: true }).catch(() => undefined)
    }
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
