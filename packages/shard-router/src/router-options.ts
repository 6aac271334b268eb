import type {
  AnyTopology,
  CitusTopology,
  CitusTopologyInput,
  Clock,
  KeyObserver,
  Schema,
  Telemetry,
  Topology,
  TopologyInput,
} from '@shardwright/core'
import { ConfigurationError, defineTopology, isCitus } from '@shardwright/core'
import type { KyselyConfig, KyselyPlugin } from 'kysely'
import { z } from 'zod'
import type { FanOutOptions } from './execute/context.ts'
import { longestTimerMs } from './pool/longest-timer.ts'
import type { ShardPoolOptions } from './pool/pool-options.ts'
import { TopologyLease } from './topology-store/topology-lease.ts'
import type { AtomicOptions } from './transaction/atomic-options.ts'
import type { BackgroundRecoveryOptions } from './transaction/start-recovery.ts'

/** Either engine, as a topology or as input for one. */
export type AnyTopologyInput = TopologyInput | Topology | CitusTopologyInput | CitusTopology

/** What `createShardRouter` takes; every default stands here. */
export interface ShardRouterOptions<S extends Schema> {
  /** Where every table lives: made by `defineSchema`. */
  readonly schema: S
  /** Hash, buckets and shards; or a Citus cluster. */
  readonly topology: AnyTopologyInput
  /** Kysely plugins, for all doors of the router. */
  readonly plugins?: KyselyPlugin[] | undefined
  readonly log?: KyselyConfig['log'] | undefined
  /** Connections: preset, sizes, replicas, time limits. */
  readonly pool?: ShardPoolOptions | undefined
  /**
   * A lease of the topology store (`TopologyStore.hold`): the router sends nothing to a shard whose lease is over, and
   * follows each topology that is published. Whoever took the lease releases it, after `close()`.
   */
  readonly lease?: TopologyLease | undefined
  /** Time limits of transactions across shards. When given, `ready()` checks that every shard can prepare transactions. */
  readonly atomic?: AtomicOptions | undefined
  /** Recovery of transactions in the background, from the first that may span shards; `false`: somebody else runs it. */
  readonly recovery?: Omit<BackgroundRecoveryOptions, 'telemetry' | 'clock'> | false | undefined
  readonly telemetry?: Telemetry | undefined
  /** Sees the shard keys that statements use: `hotKeys()` of @shardwright/monitor. */
  readonly keyObserver?: KeyObserver | undefined
  readonly clock?: Clock | undefined
  /** How many statement shapes keep their plan. Default: 2000. */
  readonly planCacheSize?: number | undefined
}

const given = z.unknown().optional()

/** Names are checked here, a misspelt option would be without effect; what they hold is checked by its own part. */
const optionsShape = z.strictObject({
  schema: z.custom<Schema>(isSchema, { error: 'expected what defineSchema returns' }),
  topology: z.custom<AnyTopologyInput>((value) => typeof value === 'object' && value !== null, {
    error: 'expected { hash, shards } or { engine, coordinator }',
  }),
  plugins: given,
  log: given,
  pool: given,
  lease: z
    .custom<TopologyLease>((value) => value instanceof TopologyLease, {
      error: 'expected what TopologyStore.hold returns',
    })
    .optional(),
  atomic: given,
  recovery: given,
  telemetry: z
    .custom<Telemetry>(isTelemetry, {
      error: 'expected count, record, gauge, span and log, as of prometheus() or openTelemetry()',
    })
    .optional(),
  keyObserver: given,
  clock: given,
  planCacheSize: z.int().min(1).max(1_000_000).default(2000),
} satisfies Record<keyof ShardRouterOptions<Schema>, z.ZodType>)

function isTelemetry(value: unknown): boolean {
  const methods = ['count', 'record', 'gauge', 'span', 'log'] as const satisfies (keyof Telemetry)[]
  const given = value as Partial<Telemetry> | null
  return typeof given === 'object' && methods.every((method) => typeof given?.[method] === 'function')
}

function isSchema(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'lookups' in value && Array.isArray(value.lookups)
}

/** @throws ConfigurationError INVALID_OPTIONS */
export function checkOptions(options: ShardRouterOptions<Schema>): { readonly planCacheSize: number } {
  const parsed = optionsShape.safeParse(options)
  if (parsed.success) return parsed.data
  throw new ConfigurationError({
    code: 'INVALID_OPTIONS',
    message: `The options of the router are not usable: ${z.prettifyError(parsed.error)}`,
    hint: `They are { ${Object.keys(optionsShape.shape).join(', ')} }; schema and topology have to be given.`,
    cause: parsed.error,
  })
}

/** A topology value is taken as it is, input is checked. @throws TopologyError */
export function resolveTopology(topology: AnyTopologyInput): AnyTopology {
  return isTopology(topology) ? topology : defineTopology(topology)
}

function isTopology(topology: AnyTopologyInput): topology is AnyTopology {
  if (!Object.isFrozen(topology)) return false
  if (isCitus(topology)) return topology.nodes instanceof Map
  return 'bucketMap' in topology && 'epoch' in topology && Array.isArray(topology.pins)
}

const fanOutShape = z.strictObject({
  maxRows: z.int().min(0).optional(),
  concurrency: z.int().min(1).optional(),
  deadlineMs: z.number().positive().max(longestTimerMs).optional(),
})

/** @throws ConfigurationError INVALID_OPTIONS */
export function checkFanOut(options: FanOutOptions): FanOutOptions {
  const parsed = fanOutShape.safeParse(options)
  if (parsed.success) return parsed.data as FanOutOptions
  throw new ConfigurationError({
    code: 'INVALID_OPTIONS',
    message: `The options of fanOut are not usable: ${z.prettifyError(parsed.error)}`,
    hint: 'They are { maxRows?, concurrency?, deadlineMs? }.',
    cause: parsed.error,
  })
}
