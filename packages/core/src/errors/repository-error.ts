import { ShardwrightError } from './shardwright-error.ts'

/**
 * A repository was defined or called in a way it cannot serve.
 * @example
 * if (error instanceof RepositoryError && error.code === 'INVALID_REPOSITORY') console.error(error.hint)
 */
export class RepositoryError extends ShardwrightError {}
