import type { ExecutionContext, RouterState } from '../execute/context.ts'
import type { CallValues } from '../plan/source.ts'
import type { RunOptions } from '../pool/shard-pool.ts'
import type { Mode } from './mode.ts'

const defaultMaxRows = 100_000

/** What a statement of one door runs in, without the transaction around it. */
export function statementContext(
  mode: Mode,
  state: RouterState,
  call: CallValues,
  run: RunOptions,
): Omit<ExecutionContext, 'transaction' | 'atomically'> {
  const { fanOut } = mode
  return {
    state,
    call,
    run,
    maxRows: fanOut?.maxRows ?? defaultMaxRows,
    concurrency: fanOut?.concurrency ?? state.topology.shards.length,
    missing: mode.missing,
  }
}
