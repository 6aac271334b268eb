import { ShardwrightError } from '@shardwright/core'

/** A query that cannot be answered as one PostgreSQL would; `hint` says what to write instead. */
export class RoutingError extends ShardwrightError {}
