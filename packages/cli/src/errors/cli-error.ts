import { ShardwrightError } from '@shardwright/core'

/** The command line asked for something that cannot be done; see `cliErrorCodes`. */
export class CliError extends ShardwrightError {}
