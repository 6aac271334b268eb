import type { NamedTable } from '../plan/action.ts'
import { identifier, qualified } from '../sql/identifier.ts'
import type { MaintenanceSession } from './session.ts'

const enableWords: Readonly<Record<string, string>> = {
  O: 'enable trigger',
  R: 'enable replica trigger',
  A: 'enable always trigger',
}

/** Runs `work` with the user triggers of a table off, inside the caller's transaction, and puts each back as it was. */
export async function disabledTriggers<T>(
  session: MaintenanceSession,
  table: NamedTable,
  work: () => Promise<T>,
): Promise<T> {
  const name = qualified(table.schema, table.name)
  // Before PostgreSQL 15 a partition's copies of its parent's triggers are marked internal, as those of foreign keys are.
  const { rows } = await session.query<{ trigger: string; enabled: string }>(
    `select tgname::text as trigger, tgenabled::text as enabled from pg_trigger
      where tgrelid = $1::oid and tgenabled <> 'D' and (not tgisinternal
        or tgparentid <> 0 and not exists (select from pg_constraint k where k.oid = tgconstraint and k.contype <> 't'))`,
    [table.oid],
  )
  for (const row of rows) await session.query(`alter table ${name} disable trigger ${identifier(row.trigger)}`)
  const result = await work()
  for (const row of rows) {
    await session.query(`alter table ${name} ${enableWords[row.enabled]} ${identifier(row.trigger)}`)
  }
  return result
}
