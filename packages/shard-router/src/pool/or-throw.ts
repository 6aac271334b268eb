import type { StatementResult } from './shard-pool.ts'

/** The result of another try where there is one, else the failure. */
export async function orThrow(
  recovery: Promise<StatementResult> | undefined,
  error: unknown,
): Promise<StatementResult> {
  if (recovery === undefined) throw error
  return await recovery
}
