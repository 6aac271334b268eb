import { ShardwrightError } from './shardwright-error.ts'

/**
 * An id cannot be made or read.
 * @example
 * if (error instanceof IdError && error.code === 'INVALID_ID') console.error(error.hint)
 */
export class IdError extends ShardwrightError {}
