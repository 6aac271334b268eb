import { ShardwrightError } from '@shardwright/core'

/** Every error that the cache throws; `code` is one of `cacheErrorCodes`. */
export class CacheError extends ShardwrightError {}
