import { ShardwrightError } from './shardwright-error.ts'

/**
 * A value cannot be a shard key.
 * @example
 * if (error instanceof KeyError && error.code === 'INVALID_SHARD_KEY') console.error(error.hint)
 */
export class KeyError extends ShardwrightError {}
