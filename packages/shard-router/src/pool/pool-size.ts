/** How many exclusive sessions a server gets, and how long they live. */
export interface PoolSize {
  /** Kept open once opened. */
  readonly minimum: number
  /** Kept for later use up to this many. */
  readonly maximum: number
  /** Opened beyond the maximum under pressure and closed when given back. */
  readonly overflow: number
  readonly acquireTimeoutMs: number
  readonly idleTimeoutMs: number
  readonly maxLifetimeMs: number
}

export type PoolPreset = 'development' | 'staging' | 'production'

const common = { acquireTimeoutMs: 30_000, idleTimeoutMs: 600_000, maxLifetimeMs: 3_600_000 }

/** Sizes as services have them, per shard and role. */
export const poolPresets: Readonly<Record<PoolPreset, PoolSize>> = Object.freeze({
  development: Object.freeze({ minimum: 2, maximum: 10, overflow: 5, ...common }),
  staging: Object.freeze({ minimum: 5, maximum: 20, overflow: 10, ...common }),
  production: Object.freeze({ minimum: 10, maximum: 50, overflow: 20, ...common }),
})
