import { ShardwrightError } from '@shardwright/core'

/** A new shard could not be brought to the fleet's state; no bucket may point at it. */
export class NewShardError extends ShardwrightError {}
