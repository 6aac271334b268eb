import { z } from 'zod'
import type { RedisClient } from './redis-client.ts'
import { RedisCommands } from './redis-commands.ts'

/** What all that talks to Redis under a budget and a breaker is given. */
export const guardedFields = {
  client: z.custom<RedisClient>(
    (value) => typeof (value as RedisClient | undefined)?.callBuffer === 'function',
    'an ioredis client (Redis or Cluster) is needed',
  ),
  /** Soft budget of one operation. */
  budgetMs: z.number().positive().default(100),
  /** Failures in a row, timeouts included, that open the breaker. */
  breakAfterFailures: z.int().positive().default(5),
  breakForMs: z.number().positive().default(1_000),
}

/** Commands with the budget and the breaker of these options. */
export function guardedCommands(
  options: Pick<
    ConstructorParameters<typeof RedisCommands>[0],
    'client' | 'budgetMs' | 'breakAfterFailures' | 'breakForMs'
  >,
): RedisCommands {
  const { client, budgetMs, breakAfterFailures, breakForMs } = options
  return new RedisCommands({ client, budgetMs, breakAfterFailures, breakForMs, onBreak: () => undefined })
}
