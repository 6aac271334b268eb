export { Cache, createCache } from './cache/cache.ts'
export type {
  AnyKysely,
  InvalidateOptions,
  InvalidateOutcome,
  PeekedEntry,
  ReadOptions,
} from './cache/cache-calls.ts'
export type { CacheKey } from './cache/cache-key.ts'
export type { CacheOptions, Deliver, DeliveryLink, InvalidationSource } from './cache/cache-options.ts'
export type { WarmEntry, WarmResult } from './cache/warm.ts'
export type { CachedFunction, WrapOptions } from './cache/wrap.ts'
export { CacheError } from './errors/cache-error.ts'
export { type CacheErrorCode, cacheErrorCodes } from './errors/cache-error-codes.ts'
export { type EntryOptions, presets } from './flow/entry-options.ts'
export type { Load, LoadContext } from './flow/load-context.ts'
export type { LoadLimit } from './flow/load-limiter.ts'
export type { NameStatistics } from './flow/statistics.ts'
export { canonicalText } from './keys/canonical-text.ts'
export { fingerprintOf } from './keys/entry-key.ts'
export { type InstallOutboxOptions, installOutbox, removeOutbox } from './outbox/install-outbox.ts'
export { createOutbox } from './outbox/outbox.ts'
export type { OutboxTable } from './outbox/outbox-table.ts'
export type { SourceOptions } from './outbox/polling-source.ts'
export type { RedisClient, RedisNode, RedisSubscriber } from './redis/redis-client.ts'
export type { RedisTierOptions } from './redis/redis-options.ts'
export { redisTier } from './redis/redis-tier.ts'
export { installReplication, removeReplication } from './replication/install-replication.ts'
export { createReplicationSource } from './replication/replication-source.ts'
export type { CachedOptions, Strategy } from './strategies/cached-options.ts'
export { type CacheableQuery, type CachedQueryOptions, cachedQuery } from './strategies/cached-query.ts'
export { cached } from './strategies/cached-repository.ts'
export type {
  Acquired,
  CacheTier,
  FillOutcome,
  Invalidation,
  Lease,
  TierContext,
  TierListener,
} from './tiers/cache-tier.ts'
export type { Entry, TagVersion } from './tiers/entry.ts'
export { type MemoryTierOptions, memoryTier } from './tiers/memory-tier.ts'
export { S3Fifo, type S3FifoOptions } from './tiers/s3-fifo.ts'
export type { ValueType } from './values/value-type.ts'
