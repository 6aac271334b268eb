import { ShardwrightError } from './shardwright-error.ts'

/**
 * A server did not answer, or refused us.
 * @example
 * if (error instanceof ConnectionError && error.code === 'SHARD_UNREACHABLE') console.error(error.hint)
 */
export class ConnectionError extends ShardwrightError {}
