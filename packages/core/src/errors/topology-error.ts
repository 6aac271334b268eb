import { ShardwrightError } from './shardwright-error.ts'

/**
 * The topology is incomplete, contradicts itself or is not the one expected.
 * @example
 * if (error instanceof TopologyError && error.code === 'BUCKET_WITHOUT_SHARD') console.error(error.hint)
 */
export class TopologyError extends ShardwrightError {}
