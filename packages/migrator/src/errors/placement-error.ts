import { ShardwrightError } from '@shardwright/core'

/** A migration asked for a table that its placement does not allow. */
export class PlacementError extends ShardwrightError {}
