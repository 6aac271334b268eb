import { ShardwrightError } from '@shardwright/core'

/** A shard's schema could not be read, written down or compared. */
export class DriftError extends ShardwrightError {}
