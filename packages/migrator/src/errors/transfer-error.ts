import { ShardwrightError } from '@shardwright/core'

/** Data could not be brought from one topology to another; what is done stays done, and nothing is lost at the source. */
export class TransferError extends ShardwrightError {}
