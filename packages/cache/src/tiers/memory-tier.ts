import type { Clock, Telemetry } from '@shardwright/core'
import { z } from 'zod'
import { parseOptions } from '../errors/parse-options.ts'
import type { Acquired, CacheTier, FillOutcome, Invalidation, Lease, TierContext } from './cache-tier.ts'
import type { Entry } from './entry.ts'
import { RecentTokens } from './recent-tokens.ts'
import { S3Fifo } from './s3-fifo.ts'

const optionsSchema = z.strictObject({
  maxEntries: z.int().positive().default(10_000),
  maxBytes: z
    .int()
    .positive()
    .default(64 * 1024 * 1024),
  /** Copies of a shared tier's entries live at most this long here. */
  maxTtlMs: z.number().positive().default(Number.POSITIVE_INFINITY),
  /** How long loads must have seen the last invalidation: longer than the largest lag of a replica that is read. */
  tokensTtlMs: z.int().positive().default(60_000),
})

/** `maxEntries` 10,000, `maxBytes` 64 MiB (estimated), `maxTtlMs` unlimited, `tokensTtlMs` 60,000. */
export type MemoryTierOptions = z.input<typeof optionsSchema>

/**
 * Entries in this process, under S3-FIFO eviction.
 * @example
 * createCache({ namespace: 'shop', tiers: [memoryTier({ maxEntries: 50_000 })] })
 */
export function memoryTier(options: MemoryTierOptions = {}): CacheTier {
  return new MemoryTier(parseOptions('memoryTier', optionsSchema, options))
}

/** All leases of one key since its last invalidation; together they stand or fall. */
interface Generation {
  ended: boolean
  leases: number
}

interface MemoryLease extends Lease {
  readonly generation: Generation
}

class MemoryTier implements CacheTier {
  readonly name = 'memory'
  readonly shared = false
  readonly trusted = true
  readonly #options: z.output<typeof optionsSchema>
  readonly #entries: S3Fifo<Entry>
  readonly #generations = new Map<string, Generation>()
  readonly #recent: RecentTokens
  #clock: Clock | undefined
  #telemetry: Telemetry | undefined
  #leases = true

  constructor(options: z.output<typeof optionsSchema>) {
    this.#options = options
    this.#recent = new RecentTokens(options.tokensTtlMs, options.maxEntries)
    this.#entries = new S3Fifo({
      maxEntries: options.maxEntries,
      maxWeight: options.maxBytes,
      onEvict: () => this.#telemetry?.count('shardwright.cache.evictions', 1, evictionAttributes),
    })
  }

  async open(context: TierContext): Promise<void> {
    this.#clock = context.clock
    this.#telemetry = context.telemetry
    this.#leases = context.leases
  }

  read(key: string): Entry | undefined {
    const entry = this.#entries.get(key)
    if (!entry) return undefined
    if (entry.staleUntil > this.#clock!.now()) return entry
    this.#entries.delete(key)
    return undefined
  }

  acquire(key: string): Acquired {
    let generation = this.#generations.get(key)
    if (!generation) {
      generation = { ended: false, leases: 0 }
      this.#generations.set(key, generation)
    }
    generation.leases += 1
    const lease: MemoryLease = { key, generation }
    return { kind: 'lease', lease, requires: this.#recent.of(key, this.#clock!) }
  }

  renew(lease: Lease): boolean {
    return !(lease as MemoryLease).generation.ended
  }

  fill(lease: Lease, entry: Entry): FillOutcome {
    this.#end(lease as MemoryLease)
    if ((lease as MemoryLease).generation.ended && this.#leases) return 'refused'
    const latest = this.#clock!.now() + this.#options.maxTtlMs
    const kept = entry.staleUntil <= latest ? entry : { ...entry, staleUntil: latest }
    this.#entries.set(lease.key, kept, entry.bytes + lease.key.length + overheadBytes)
    this.#gauge()
    return 'stored'
  }

  release(lease: Lease, drop: boolean): void {
    this.#end(lease as MemoryLease)
    if (drop) this.#entries.delete(lease.key)
  }

  invalidate({ keys, tokens }: Invalidation): 'done' {
    for (const key of keys) {
      this.#recent.add(key, tokens, this.#clock!)
      this.#entries.delete(key)
      const generation = this.#generations.get(key)
      if (!generation) continue
      generation.ended = true
      this.#generations.delete(key)
    }
    return 'done'
  }

  clear(): 'done' {
    this.#entries.clear()
    for (const generation of this.#generations.values()) generation.ended = true
    this.#generations.clear()
    this.#gauge()
    return 'done'
  }

  async close(): Promise<void> {
    this.clear()
    this.#recent.clear()
  }

  #end(lease: MemoryLease): void {
    const { generation, key } = lease
    generation.leases -= 1
    if (generation.leases <= 0 && this.#generations.get(key) === generation) this.#generations.delete(key)
  }

  #gauge(): void {
    this.#telemetry?.gauge('shardwright.cache.bytes', this.#entries.weight, evictionAttributes)
    this.#telemetry?.gauge('shardwright.cache.entries', this.#entries.size, evictionAttributes)
  }
}

const evictionAttributes = Object.freeze({ tier: 'memory' })
/** Key, node and entry object, measured roughly. */
const overheadBytes = 200
