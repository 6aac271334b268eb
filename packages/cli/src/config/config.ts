import type { CitusTopologyInput, Schema, TopologyInput } from '@shardwright/core'
import type { MigratorOptions } from '@shardwright/migrator'
import type { MachineSizes } from '@shardwright/monitor'
import type { PartitionPolicy } from '@shardwright/partition-manager'
import type { Rollup, View } from '@shardwright/view-manager'
import type { EnvironmentVariable } from './env.ts'

type Url = string | EnvironmentVariable

export type ConfigServer =
  | Url
  | {
      readonly url: Url
      readonly directUrl?: Url | undefined
      readonly pooler?: 'direct' | 'pgbouncer-session' | 'pgbouncer-transaction' | undefined
    }

export interface ConfigShard {
  readonly id: string
  readonly primary: ConfigServer
  readonly replicas?: readonly ConfigServer[] | undefined
}

export type ConfigTopology = Omit<TopologyInput, 'shards'> & { readonly shards: readonly ConfigShard[] }

export type ConfigCitusTopology = Omit<CitusTopologyInput, 'coordinator' | 'nodes'> & {
  readonly coordinator: ConfigServer
  readonly nodes?: Readonly<Record<string, ConfigServer>> | undefined
}

/** What `shardwright.config.ts` exports as its default. */
export interface ShardwrightConfig {
  /** Made by `defineSchema`. */
  readonly schema: Schema
  /** As `defineTopology` takes it, shards or a Citus cluster; URLs may come from `env('NAME')`. */
  readonly topology: ConfigTopology | ConfigCitusTopology
  readonly migrations?: MigrationConfig | undefined
  /** Made by `definePartitions`; used by `partitions` and `doctor`. */
  readonly partitions?: readonly PartitionPolicy[] | undefined
  /** Made by `defineView` and `defineRollup`; used by `views`. */
  readonly views?: readonly (View | Rollup)[] | undefined
  /** What the servers cannot tell of their machines, by shard; used by `monitor` and `doctor`. */
  readonly machines?: MachineSizes | undefined
  /** Fills a fresh local cluster under `shardwright dev`; relative to the configuration. Default: `seed.ts`, if it is there. */
  readonly seed?: string | undefined
}

export interface MigrationConfig extends Pick<MigratorOptions, 'lockTimeoutMs' | 'lockRetries' | 'statementTimeoutMs'> {
  /** Relative to the configuration. Default: `migrations`. */
  readonly folder?: string | undefined
}

/**
 * Types the configuration; returns it as it is.
 *
 * @example
 * export default defineConfig({
 *   schema,
 *   topology: { hash: 'postgres', shards: [{ id: 'shard-1', primary: env('SHARD_1_URL') }] },
 * })
 */
export function defineConfig(config: ShardwrightConfig): ShardwrightConfig {
  return config
}
