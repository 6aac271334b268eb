import { ShardwrightError } from './shardwright-error.ts'

/**
 * An option or an input from outside is not usable; thrown before anything runs.
 * @example
 * if (error instanceof ConfigurationError && error.code === 'INVALID_OPTIONS') console.error(error.hint)
 */
export class ConfigurationError extends ShardwrightError {}
