import { poolError } from './pool-error.ts'

/** The protocol numbers parameters by sixteen bits; what is beyond would be counted from zero again. */
export const maxParameters = 65_535

export function tooManyParameters(count: number): Error {
  return poolError(
    'TOO_MANY_PARAMETERS',
    `A statement has ${count} parameters; PostgreSQL takes ${maxParameters} at most.`,
    {
      details: { count, sent: false },
    },
  )
}
