import { type Clock, noTelemetry, systemClock, type Telemetry } from '@shardwright/core'
import { types } from 'pg'
import { z } from 'zod'
import { type LaneSettings, laneDefaults } from './lane-settings.ts'
import { poolOptionsError } from './pool-error.ts'
import { type PoolPreset, type PoolSize, poolPresets } from './pool-size.ts'
import type { TypeParsers } from './row-reader.ts'

/** What `createShardPool` takes besides the topology. */
export interface ShardPoolOptions {
  /** Sizes as services have them. Default: `development`. */
  readonly preset?: PoolPreset | undefined
  /** Overrides of the preset, for each server. */
  readonly size?: Partial<PoolSize> | undefined
  /** How the pipelined lane behaves. */
  readonly lane?: Partial<LaneSettings> | undefined
  /** TimeZone of every session. Default: UTC. */
  readonly timeZone?: string | undefined
  readonly connectTimeoutMs?: number | undefined
  readonly applicationName?: string | undefined
  /** Parsers of column types. Default: `pg.types`. */
  readonly types?: TypeParsers | undefined
  readonly clock?: Clock | undefined
  readonly telemetry?: Telemetry | undefined
}

/** The options with every default filled in. */
export interface ResolvedPoolOptions {
  readonly size: PoolSize
  readonly lane: LaneSettings
  readonly timeZone: string
  readonly connectTimeoutMs: number
  readonly applicationName: string
  readonly types: TypeParsers
  readonly clock: Clock
  readonly telemetry: Telemetry
}

const count = z.int().min(0)
const ms = z.number().positive()

const optionsShape = z.strictObject({
  preset: z.enum(['development', 'staging', 'production']).default('development'),
  size: z
    .strictObject({
      minimum: count,
      maximum: z.int().min(1),
      overflow: count,
      acquireTimeoutMs: ms,
      idleTimeoutMs: ms,
      maxLifetimeMs: ms,
    })
    .partial()
    .default({}),
  lane: z
    .strictObject({
      pipeline: z.boolean(),
      maxClients: z.int().min(1),
      targetWaitMs: ms,
      minDepth: z.int().min(1),
      maxDepth: z.int().min(1),
      slowMs: ms,
      lockTimeoutMs: z.int().min(1),
      capMs: z.int().min(1),
      maxNames: z.int().min(1),
      maxShapes: z.int().min(1),
    })
    .partial()
    .default({}),
  timeZone: z.string().min(1).default('UTC'),
  connectTimeoutMs: ms.default(10_000),
  applicationName: z.string().max(63).default('shardwright'),
  types: z.custom<TypeParsers>().default(types as unknown as TypeParsers),
  clock: z.custom<Clock>().default(systemClock),
  telemetry: z.custom<Telemetry>().default(noTelemetry),
})

/** @throws ConfigurationError INVALID_POOL_OPTIONS */
export function resolvePoolOptions(options: ShardPoolOptions): ResolvedPoolOptions {
  const parsed = optionsShape.safeParse(options)
  if (!parsed.success) throw poolOptionsError(`Pool options: ${z.prettifyError(parsed.error)}`, parsed.error)
  const { preset, size, lane, ...rest } = parsed.data
  const resolved: PoolSize = { ...poolPresets[preset], ...definedOnly(size) }
  if (resolved.minimum > resolved.maximum) {
    throw poolOptionsError(`Pool options: minimum ${resolved.minimum} is above maximum ${resolved.maximum}.`)
  }
  const laneSettings: LaneSettings = { ...laneDefaults, ...definedOnly(lane) }
  return Object.freeze({ ...rest, size: Object.freeze(resolved), lane: Object.freeze(laneSettings) })
}

function definedOnly<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as never
}
