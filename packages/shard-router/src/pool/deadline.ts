import { poolError } from './pool-error.ts'

export function deadlineError(server: string, shard?: string): Error {
  const place = shard === undefined || shard === server ? server : `${server} (shard ${shard})`
  return poolError('DEADLINE_EXCEEDED', `The answer of ${place} was not there by the deadline.`, {
    server,
    ...(shard === undefined ? {} : { shard }),
  })
}
