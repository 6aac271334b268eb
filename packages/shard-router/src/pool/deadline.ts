import { poolError } from './pool-error.ts'

export function deadlineError(server: string, shard?: string): Error {
  return poolError('DEADLINE_EXCEEDED', `The answer of ${server} was not there by the deadline.`, {
    server,
    ...(shard === undefined ? {} : { shard }),
  })
}
