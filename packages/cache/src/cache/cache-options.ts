import { type Clock, noTelemetry, systemClock, type Telemetry } from '@shardwright/core'
import { z } from 'zod'
import { parseOptions } from '../errors/parse-options.ts'
import {
  defaultEntryOptions,
  type EntryOptions,
  presets,
  type ResolvedEntryOptions,
  resolveEntryOptions,
} from '../flow/entry-options.ts'
import type { LoadLimit } from '../flow/load-limiter.ts'
import type { CacheTier } from '../tiers/cache-tier.ts'
import { memoryTier } from '../tiers/memory-tier.ts'
import type { ValueType } from '../values/value-type.ts'

/** Invalidates these texts, or everything of the namespace. */
export type Deliver = (texts: readonly string[] | 'everything') => Promise<void>

/** What a source is told about the tiers behind its deliveries. */
export interface DeliveryLink {
  /** False while a shared tier does not answer: what is taken now would be kept from processes that can deliver it. */
  up(): boolean
  /** Resolves when every process has taken note of all that was delivered before, by whichever process. */
  confirm(): Promise<void>
}

/** A source of invalidations that no process could send in time, or that bypassed the library; `createOutbox` makes one. */
export interface InvalidationSource {
  /** What the rows of a table invalidate: the texts of keys. Rows of tables that nobody registered are left alone. */
  register(table: string, textsOf: (row: Readonly<Record<string, unknown>>) => readonly string[]): void
  /** Begins to deliver; a delivery that rejects is repeated. One that resolves has been sent to every process. */
  start(namespace: string, deliver: Deliver, link?: DeliveryLink): void
  /**
   * Resolves when everything committed before the call has been delivered, and every process has taken note of it. While
   * the link is down, as it is when it settles, only the first.
   */
  catchUp(): Promise<void>
  close(): Promise<void>
}

const word = /^[\w.-]+$/

const optionsSchema = z.strictObject({
  namespace: z.string().regex(word, 'letters, digits, _ . - only'),
  tiers: z
    .array(z.custom<CacheTier>((value) => typeof (value as CacheTier | undefined)?.acquire === 'function'))
    .optional(),
  environment: z.enum(['development', 'production']).default('production'),
  defaults: z.custom<EntryOptions>((value) => typeof value === 'object').default({}),
  fingerprint: z.string().regex(word, 'letters, digits, _ . - only').default('0'),
  valueTypes: z
    .array(
      z.object({
        name: z.string().min(1).max(32),
        class: z.custom<ValueType['class']>((value) => typeof value === 'function'),
      }),
    )
    .default([]),
  loadLimit: z
    .strictObject({ concurrent: z.int().positive().default(32), queued: z.int().min(0).default(10_000) })
    .default({ concurrent: 32, queued: 10_000 }),
  outbox: z
    .custom<InvalidationSource>((value) => typeof (value as InvalidationSource | undefined)?.catchUp === 'function')
    .optional(),
  clock: z
    .custom<Clock>((value) => typeof (value as Clock | undefined)?.monotonicMs === 'function')
    .default(systemClock),
  telemetry: z
    .custom<Telemetry>((value) => typeof (value as Telemetry | undefined)?.count === 'function')
    .default(noTelemetry),
  unsafeWithoutLeases: z.boolean().default(false),
})

/** Options of `createCache`; only `namespace` is needed. */
export interface CacheOptions {
  /** Shared by all processes that share entries. Letters, digits, `_ . -`. */
  readonly namespace: string
  /** Nearest first. Default: memory alone. */
  readonly tiers?: readonly CacheTier[]
  /** `development`: 5 minutes, `production` (the default): 10 minutes. */
  readonly environment?: 'development' | 'production'
  /** For entries that say nothing else. */
  readonly defaults?: EntryOptions
  /** Of the shape of the values, e.g. a hash of the schema: code with another one reads none of these entries. */
  readonly fingerprint?: string
  /** Classes whose instances may be kept. */
  readonly valueTypes?: readonly ValueType[]
  /** Concurrent loads per group, and how many may wait. Default 32 and 10,000. */
  readonly loadLimit?: Partial<LoadLimit>
  /** Where invalidations come from that no live process could send. */
  readonly outbox?: InvalidationSource
  readonly clock?: Clock
  readonly telemetry?: Telemetry
  /** For tests that must see what the leases prevent: values are stored without asking whether they are still right. */
  readonly unsafeWithoutLeases?: boolean
}

export interface ResolvedCacheOptions {
  readonly namespace: string
  readonly tiers: readonly CacheTier[]
  readonly defaults: ResolvedEntryOptions
  readonly fingerprint: string
  readonly valueTypes: readonly ValueType[]
  readonly loadLimit: LoadLimit
  readonly outbox: InvalidationSource | undefined
  readonly clock: Clock
  readonly telemetry: Telemetry
  readonly leases: boolean
}

/** @throws CacheError CACHE_OPTIONS */
export function resolveCacheOptions(options: CacheOptions): ResolvedCacheOptions {
  const given = parseOptions('createCache', optionsSchema, options)
  const base = Object.freeze({ ...defaultEntryOptions, ...presets[given.environment] })
  return Object.freeze({
    namespace: given.namespace,
    tiers: Object.freeze(given.tiers ?? [memoryTier()]),
    defaults: resolveEntryOptions(base, given.defaults),
    fingerprint: given.fingerprint,
    valueTypes: Object.freeze(given.valueTypes),
    loadLimit: Object.freeze(given.loadLimit),
    outbox: given.outbox,
    clock: given.clock,
    telemetry: given.telemetry,
    leases: !given.unsafeWithoutLeases,
  })
}
