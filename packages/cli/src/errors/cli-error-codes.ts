/** Every code of this package; docs/errors.md is generated from it. */
export const cliErrorCodes = {
  CONFIG_NOT_FOUND: {
    meaning: 'There is no shardwright.config.ts here.',
    remedy: 'Run `shardwright init`, go to the folder that has it, or pass --config.',
  },
  CONFIG_INVALID: {
    meaning: 'The configuration cannot be loaded or has a wrong field.',
    remedy: 'The message names the field and what it accepts.',
  },
  ENVIRONMENT_VARIABLE_MISSING: {
    meaning: 'The configuration takes a URL from an environment variable that is not set.',
    remedy: 'Set it, pass --env-file, or pass --local while `shardwright dev` runs.',
  },
  LOCAL_CLUSTER_NOT_RUNNING: {
    meaning: '--local was given and no `shardwright dev` runs in this folder.',
    remedy: 'Start `shardwright dev` in another terminal.',
  },
  LOCAL_CLUSTER_RUNNING: {
    meaning: 'A second `shardwright dev` was started in a folder where one runs.',
    remedy: 'Use the running one with --local, or end it with Ctrl-C first.',
  },
  USAGE: {
    meaning: 'An argument or option is missing or not understood.',
    remedy: 'See --help of the command.',
  },
  NOT_CONFIRMED: {
    meaning: 'Something destructive was asked for and not confirmed.',
    remedy: 'Answer yes, or pass --yes where nobody can be asked.',
  },
  UNEXPECTED: {
    meaning: 'An error that is not one of ours; the message is the original one.',
    remedy: 'Read the message; SHARDWRIGHT_DEBUG=1 prints the stack.',
  },
  FILE_EXISTS: {
    meaning: 'A file that would be written is there already.',
    remedy: 'Move it away, or choose another folder.',
  },
  WRONG_ENGINE: {
    meaning: 'The command is for the other engine: hash shards or a Citus cluster.',
    remedy: 'The hint names the command that does the work there.',
  },
  CITUS_REFUSED: {
    meaning: 'Citus did not do what a command asked of it; the message is its own.',
    remedy: 'Mend what it names, then run the command again.',
  },
  STATEMENT_FAILED: {
    meaning: 'A shard refused the statement of `shardwright sql`; the message is its own, with the SQLSTATE.',
    remedy: 'Correct the statement; what other shards did with --write is not undone.',
  },
  UNKNOWN_TABLE: {
    meaning: 'The schema has no such table, or it is not sharded.',
    remedy: 'Use one of the tables that the message lists.',
  },
} as const
