import type { Access } from '../../plan/access.ts'
import type { PreparedPlan } from '../../plan/prepared-plan.ts'
import { refuse } from '../../plan/refuse.ts'

const hint = 'Run the parts one after the other in one transaction, or give all tables one shard key.'

/**
 * Citus runs a CTE that writes before the rest of its statement, as a statement of its own, where one PostgreSQL gives both
 * the same snapshot; and it writes a reference table in the copy of one node only where the rest is of one shard.
 * @throws RoutingError CITUS_UNSUPPORTED for what comes out otherwise than on one PostgreSQL
 */
export function refuseCteWrites({ kind, accesses }: PreparedPlan): void {
  const written = accesses.filter(writes)
  if (written.length === 0 || (kind !== 'select' && written.length === 1)) return
  const copied = written.find((access) => access.kind === 'reference')
  if (copied && kind !== 'select') {
    const message = `Citus would write '${nameOf(copied)}' on one node only: a reference table beside another write.`
    refuse('CITUS_UNSUPPORTED', message, hint)
  }
  const seen = written.find((access) => accesses.some((other) => other !== access && nameOf(other) === nameOf(access)))
  if (seen === undefined) return
  const message = `On Citus the rest of the statement would see what a CTE has written to '${nameOf(seen)}'; on one PostgreSQL it sees what was there before.`
  refuse('CITUS_UNSUPPORTED', message, hint)
}

function writes(access: Access): boolean {
  return access.kind !== 'system' && access.writes
}

function nameOf(access: Access): string | undefined {
  if (access.kind === 'sharded') return access.table.name
  return access.kind === 'system' ? undefined : access.name
}
