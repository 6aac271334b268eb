import { ShardwrightError } from './shardwright-error.ts'

/**
 * The schema does not describe the tables, or does not fit the topology or the server.
 * @example
 * if (error instanceof SchemaError && error.code === 'MISSING_PLACEMENT') console.error(error.hint)
 */
export class SchemaError extends ShardwrightError {}
