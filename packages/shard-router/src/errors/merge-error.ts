import { ShardwrightError } from '@shardwright/core'

/** Partial results that could not be merged: too many rows, or a type that cannot travel. */
export class MergeError extends ShardwrightError {}
