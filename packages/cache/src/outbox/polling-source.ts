import {
  type Clock,
  type Fleet,
  type FleetConnection,
  noTelemetry,
  systemClock,
  type Telemetry,
} from '@shardwright/core'
import { z } from 'zod'
import type { Deliver, DeliveryLink, InvalidationSource } from '../cache/cache-options.ts'
import { CacheError } from '../errors/cache-error.ts'
import { parseOptions } from '../errors/parse-options.ts'
import { type DrainBatch, type NoticedWrite, ShardDrain } from './shard-drain.ts'

/** Options of a source of invalidations. */
export interface SourceOptions {
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

/** A source that looks at each shard every `pollMs`. */
export function pollingSource(owner: string, options: SourceOptions, drainBatch: DrainBatch): InvalidationSource {
  return new PollingSource(parseOptions(owner, optionsSchema, options), drainBatch)
}

type TextsOf = (row: Readonly<Record<string, unknown>>) => readonly string[]

class PollingSource implements InvalidationSource {
  readonly #options: z.output<typeof optionsSchema>
  readonly #tables = new Map<string, TextsOf[]>()
  readonly #shards: readonly ShardDrain[]
  readonly #drainBatch: DrainBatch
  #delivery: { readonly namespace: string; readonly deliver: Deliver; readonly link: DeliveryLink } | undefined

  constructor(options: z.output<typeof optionsSchema>, drainBatch: DrainBatch) {
    this.#options = options
    this.#drainBatch = drainBatch
    this.#shards = options.fleet.shards.map(
      (shard) => new ShardDrain(shard, options, (connection, locked) => this.#drain(connection, locked)),
    )
  }

  register(table: string, textsOf: TextsOf): void {
    this.#tables.set(table, [...(this.#tables.get(table) ?? []), textsOf])
  }

  start(namespace: string, deliver: Deliver, link: DeliveryLink = alwaysUp): void {
    if (this.#delivery) throw inUse()
    this.#delivery = { namespace, deliver, link }
    for (const shard of this.#shards) shard.start(() => link.up())
  }

  async catchUp(): Promise<void> {
    await Promise.all(this.#shards.map((shard) => shard.drainAll('wait')))
    await this.#delivery?.link.confirm()
  }

  async close(): Promise<void> {
    await Promise.all(this.#shards.map((shard) => shard.close()))
  }

  async #drain(connection: FleetConnection, locked: 'skip' | 'wait'): Promise<boolean> {
    const { telemetry } = this.#options
    const { namespace, deliver } = this.#delivery!
    if (this.#tables.size === 0) return false
    const { count, more } = await this.#drainBatch(connection, {
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

  #textsOf(rows: readonly NoticedWrite[]): readonly string[] | 'everything' {
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

const alwaysUp: DeliveryLink = Object.freeze({ up: () => true, confirm: async () => undefined })

function inUse(): CacheError {
  return new CacheError({
    code: 'CACHE_OPTIONS',
    message: 'A source of invalidations was given to two caches.',
    hint: 'Make one for each cache.',
  })
}
