import { z } from 'zod'
import { parseOptions } from '../errors/parse-options.ts'

const minute = 60_000

/** Times to live per environment; `stable` is for data that hardly changes. */
export const presets = Object.freeze({
  development: Object.freeze({ ttlMs: 5 * minute }),
  production: Object.freeze({ ttlMs: 10 * minute }),
  stable: Object.freeze({ ttlMs: 60 * minute }),
})

const optionsSchema = z.strictObject({
  ttlMs: z.number().positive(),
  /** Of an absent value (`undefined`). */
  absentTtlMs: z.number().positive(),
  /** Each ttl is shortened by a random part of it, so that what was filled together does not end together. */
  jitter: z.number().min(0).max(0.9),
  /** Past its ttl, how long an entry is still served while one caller's process loads it anew. */
  staleWhileRevalidateMs: z.number().min(0),
  /** Past its ttl, how long an entry is still served when the load fails. */
  staleIfErrorMs: z.number().min(0),
  /** XFetch's beta: 0 turns early refresh off, more than 1 begins earlier. */
  earlyRefresh: z.number().min(0).max(100),
  /** How long to wait for another process's load before loading oneself. */
  waitMs: z.number().min(0),
  /** A loader that is silent for so long is taken for dead. */
  leaseMs: z.number().min(50),
  tags: z.array(z.string().min(1)).readonly(),
  /** Loads are limited per group, e.g. per shard. */
  loadGroup: z.string(),
})

/** How one entry, or all of one name, is kept. */
export type EntryOptions = Readonly<Partial<z.input<typeof optionsSchema>>>
export type ResolvedEntryOptions = Readonly<z.output<typeof optionsSchema>> & {
  /** Tags that only an absent value carries: what clears them is an insert. */
  readonly absentTags: readonly string[]
  /** Kept locally only where the shared tier keeps it too. */
  readonly sharedFirst: boolean
}

/** One literal for all defaults. */
export const defaultEntryOptions: ResolvedEntryOptions = Object.freeze({
  ...presets.production,
  absentTtlMs: 5_000,
  jitter: 0.1,
  staleWhileRevalidateMs: 0,
  staleIfErrorMs: 0,
  earlyRefresh: 1,
  waitMs: 5_000,
  leaseMs: 3_000,
  tags: Object.freeze([]),
  loadGroup: 'default',
  absentTags: Object.freeze([]),
  sharedFirst: false,
})

const partialSchema = optionsSchema.partial()

/** @throws CacheError CACHE_OPTIONS */
export function resolveEntryOptions(base: ResolvedEntryOptions, options: EntryOptions): ResolvedEntryOptions {
  const given = parseOptions('an entry', partialSchema, options)
  const defined = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  return Object.freeze({ ...base, ...defined })
}
