import { type Clock, noTelemetry, systemClock, type Telemetry } from '@shardwright/core'
import { type Client, types } from 'pg'
import { z } from 'zod'
import { type LaneSettings, laneDefaults } from './lane-settings.ts'
import { longestTimerMs } from './longest-timer.ts'
import { poolOptionsError } from './pool-error.ts'
import { type PoolPreset, type PoolSize, poolPresets } from './pool-size.ts'
import { readPreferenceShape } from './read-preference.ts'
import { type ReadSettings, readDefaults } from './read-settings.ts'
import { type RetrySettings, retrySettings } from './retry-settings.ts'
import type { TypeParsers } from './row-reader.ts'
import type { BreakerSettings } from './server-guard.ts'
import type { IdentityMode } from './shard-identity.ts'
import type { TopologyGate } from './topology-gate.ts'
import { unfailing } from './unfailing-telemetry.ts'

type Overrides<T> = { readonly [K in keyof T]?: T[K] | undefined }

/** What `createShardPool` takes besides the topology. */
export interface ShardPoolOptions {
  /** Sizes as services have them: `development` 2/10/+5, `staging` 5/20/+10, `production` 10/50/+20. Default: `development`. */
  readonly preset?: PoolPreset | undefined
  /** Overrides of the preset, for each server. */
  readonly size?: Overrides<PoolSize> | undefined
  /** Overrides of the size for replicas. Default: as for primaries. */
  readonly replicaSize?: Overrides<PoolSize> | undefined
  /**
   * Connections of this process to all servers together, at most: idle ones of one server make room for another. Direct
   * clients and those that cancel a statement are not counted. Default: as the sizes of the pools allow.
   */
  readonly maxConnections?: number | undefined
  /** Processes like this one that share the servers, for the check against `max_connections`. Default: 1. */
  readonly processes?: number | undefined
  /** How the pipelined lane behaves. */
  readonly lane?: Overrides<LaneSettings> | undefined
  /** Where reads go and how replicas are watched. */
  readonly replicas?: Overrides<ReadSettings> | undefined
  readonly retry?: Overrides<RetrySettings> | undefined
  readonly breaker?: Overrides<BreakerSettings> | undefined
  /** Statements that may wait for one server before more are refused. Default: 10000. */
  readonly bulkhead?: number | undefined
  /** Whether a database must say which shard it is. Default: `verify`. */
  readonly identity?: IdentityMode | undefined
  /** More URLs where a shard's primary may be found after a failover, by shard id; its replicas are candidates anyway. */
  readonly candidates?: Readonly<Record<string, readonly string[]>> | undefined
  /**
   * Whether statements are sent by name; the topology may say it for each server. Default: yes, but not through PgBouncer
   * in transaction mode, which keeps names only from 1.21 on and with `max_prepared_statements` set.
   */
  readonly preparedStatements?: boolean | undefined
  /** TimeZone of every session. Default: UTC. */
  readonly timeZone?: string | undefined
  readonly connectTimeoutMs?: number | undefined
  /** How long close() waits for what runs. Default: 30000. */
  readonly closeTimeoutMs?: number | undefined
  readonly applicationName?: string | undefined
  /** Parsers of column types. Default: `pg.types`. */
  readonly types?: TypeParsers | undefined
  /** A topology store's lease: without a valid one nothing is sent. */
  readonly gate?: TopologyGate | undefined
  /** Looks at each new session of a shard before anything runs on it; refuses by an error. Default: nobody does. */
  readonly admit?: ((shard: string, client: Client) => Promise<void>) | undefined
  readonly clock?: Clock | undefined
  readonly telemetry?: Telemetry | undefined
  /** Whether spans have the parameters of statements (`db.query.parameter.0`), which may be personal data. Default: false. */
  readonly tellParameters?: boolean | undefined
}

/** The options with every default filled in. */
export interface ResolvedPoolOptions {
  readonly size: PoolSize
  readonly replicaSize: PoolSize
  readonly maxConnections?: number | undefined
  readonly processes: number
  readonly lane: LaneSettings
  readonly replicas: ReadSettings
  readonly retry: RetrySettings
  readonly breaker: BreakerSettings
  readonly bulkhead: number
  readonly identity: IdentityMode
  readonly candidates: Readonly<Record<string, readonly string[]>>
  readonly preparedStatements?: boolean | undefined
  readonly timeZone: string
  readonly connectTimeoutMs: number
  readonly closeTimeoutMs: number
  readonly applicationName: string
  readonly types: TypeParsers
  readonly gate?: TopologyGate | undefined
  readonly admit?: ((shard: string, client: Client) => Promise<void>) | undefined
  readonly clock: Clock
  readonly telemetry: Telemetry
  readonly tellParameters: boolean
}

export const defaultCloseTimeoutMs = 30_000

const breakerDefaults: BreakerSettings = Object.freeze({ maxFails: 5, failTimeoutMs: 1_000 })

const count = z.int().min(0)
const positive = z.int().min(1)
// What setTimeout can wait; beyond it fires at once.
const ms = z.number().positive().max(longestTimerMs)
// What the server is told, too.
const wholeMs = positive.max(Math.floor(longestTimerMs / 2))

const size = z
  .strictObject({
    minimum: count,
    maximum: positive,
    overflow: count,
    acquireTimeoutMs: ms,
    idleTimeoutMs: ms,
    maxLifetimeMs: z.number().positive(),
  })
  .partial()
  .optional()

const lane = z
  .strictObject({
    pipeline: z.boolean(),
    maxClients: positive,
    targetWaitMs: ms,
    minDepth: positive,
    maxDepth: positive,
    slowMs: ms,
    lockTimeoutMs: wholeMs,
    capMs: wholeMs,
    answerGraceMs: wholeMs,
    maxNames: positive,
    maxShapes: positive,
  })
  .partial()
  .optional()

const replicas = z
  .strictObject({
    reads: readPreferenceShape,
    balance: z.enum(['round-robin', 'least-outstanding', 'weighted']),
    weights: z.record(z.string(), z.number().positive()),
    whenNoReplica: z.enum(['primary', 'refuse']),
    probeIntervalMs: ms,
    probeTimeoutMs: ms,
    maxFails: positive,
    failTimeoutMs: ms,
    tokenWaitMs: z.number().min(0),
    unsettledWaitMs: z.number().min(0),
    hedgeAfterMs: ms.optional(),
  })
  .partial()
  .optional()

const optionsShape = z.strictObject({
  preset: z.enum(['development', 'staging', 'production']).default('development'),
  size,
  replicaSize: size,
  maxConnections: positive.optional(),
  processes: positive.default(1),
  lane,
  replicas,
  retry: z.strictObject({ maxRetries: count, initialDelayMs: ms, maxDelayMs: ms }).partial().optional(),
  breaker: z.strictObject({ maxFails: positive, failTimeoutMs: ms }).partial().optional(),
  bulkhead: positive.default(10_000),
  identity: z.enum(['off', 'verify', 'require']).default('verify'),
  candidates: z.record(z.string(), z.array(z.string().min(1))).default({}),
  preparedStatements: z.boolean().optional(),
  timeZone: z.string().min(1).default('UTC'),
  connectTimeoutMs: ms.default(10_000),
  closeTimeoutMs: ms.default(defaultCloseTimeoutMs),
  applicationName: z.string().max(63).default('shardwright'),
  types: z.custom<TypeParsers>().default(() => types as unknown as TypeParsers),
  gate: z.custom<TopologyGate>().optional(),
  admit: z.custom<NonNullable<ShardPoolOptions['admit']>>((value) => typeof value === 'function').optional(),
  clock: z.custom<Clock>().default(() => systemClock),
  // By a function: zod copies a plain object, and a copy of noTelemetry is measured for nobody.
  tellParameters: z.boolean().default(false),
  telemetry: z
    .custom<Telemetry>()
    .default(() => noTelemetry)
    .transform(unfailing),
})

/** @throws ConfigurationError INVALID_POOL_OPTIONS */
export function resolvePoolOptions(options: ShardPoolOptions): ResolvedPoolOptions {
  const parsed = optionsShape.safeParse(options)
  if (!parsed.success) throw poolOptionsError(`Pool options: ${z.prettifyError(parsed.error)}`, parsed.error)
  const { preset, ...given } = parsed.data
  const resolved: ResolvedPoolOptions = {
    ...given,
    size: merge(poolPresets[preset], given.size),
    replicaSize: merge(merge(poolPresets[preset], given.size), given.replicaSize),
    lane: merge(laneDefaults, given.lane),
    replicas: merge(readDefaults, given.replicas),
    retry: retrySettings(given.retry),
    breaker: merge(breakerDefaults, given.breaker),
  }
  for (const name of ['size', 'replicaSize'] as const) {
    const { minimum, maximum } = resolved[name]
    if (minimum <= maximum) continue
    const origin = given[name]?.minimum === undefined ? ` (as preset '${preset}' has it)` : ''
    throw poolOptionsError(`Pool options: ${name}.minimum ${minimum}${origin} is above ${name}.maximum ${maximum}.`)
  }
  if (resolved.lane.minDepth > resolved.lane.maxDepth) {
    throw poolOptionsError('Pool options: lane.minDepth is above lane.maxDepth.')
  }
  return Object.freeze(resolved)
}

// An override that is present but undefined is none.
function merge<T extends object>(defaults: T, overrides: Overrides<T> | undefined): T {
  const given = Object.entries(overrides ?? {}).filter(([, value]) => value !== undefined)
  return Object.freeze({ ...defaults, ...Object.fromEntries(given) })
}
