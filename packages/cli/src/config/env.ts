import { CliError } from '../errors/cli-error.ts'

/** A value that is read from the environment when it is needed, not when the file is loaded. */
export interface EnvironmentVariable {
  readonly env: string
}

/**
 * Takes a URL from an environment variable, so that the configuration holds no password.
 *
 * @example
 * shards: [{ id: 'shard-1', primary: env('SHARD_1_URL') }]
 */
export function env(name: string): EnvironmentVariable {
  return Object.freeze({ env: name })
}

/** @throws CliError ENVIRONMENT_VARIABLE_MISSING */
export function readVariable(value: string | EnvironmentVariable): string {
  if (typeof value === 'string') return value
  const found = process.env[value.env]
  if (found !== undefined && found !== '') return found
  throw new CliError({
    code: 'ENVIRONMENT_VARIABLE_MISSING',
    message: `The configuration takes a URL from ${value.env}, which is not set.`,
    hint: 'Set it, pass --env-file <file>, or pass --local while `shardwright dev` runs.',
    details: { variable: value.env },
  })
}
