import { applyChanges, pendingChanges } from './catch-up.ts'
import { noteSwap } from './convert-journal.ts'
import type { ConvertRun } from './convert-run.ts'
import { readSource } from './source-table.ts'
import { swapSql } from './swap-sql.ts'

/**
 * Puts the copy in the table's place: a lock that is waited for shortly, the last changes, and catalog changes only.
 * @returns false when more changes had come than may be copied under the lock; nothing has changed then.
 */
export async function swapTables(run: ConvertRun): Promise<boolean> {
  const { session, policy, names, options } = run
  session.step('swap')
  return await session.transaction(`swap ${policy.table}`, async () => {
    await session.query(`lock table ${names.source} in access exclusive mode`)
    const pending = await pendingChanges(run)
    if (pending > BigInt(Math.max(options.swapRows, 1) * 4)) return false
    await applyChanges(run, Number(pending) + 1)
    // Read again under the lock: grants, triggers and policies may have changed since the conversion began.
    const source = (await readSource(session, policy)) ?? run.source
    await session.script(swapSql(source, policy, names))
    session.step('swap-commit')
    await noteSwap(
      session,
      policy,
      source.incoming.map((fk) => [fk.schema, fk.table, fk.name] as const),
    )
    return true
  })
}
