import type { FleetConnection } from '@shardwright/core'

/** The view of pg_stat_statements as SQL, or undefined where it cannot be read. */
export async function statementsView(connection: FleetConnection): Promise<string | undefined> {
  // The extension can exist while its library is not loaded: every look at the view fails then.
  const { rows } = await connection.query<{ view: string }>(
    `select format('%I.pg_stat_statements', n.nspname) as view
     from pg_extension e join pg_namespace n on n.oid = e.extnamespace
     where e.extname = 'pg_stat_statements' and current_setting('pg_stat_statements.max', true) is not null`,
  )
  return rows[0]?.view
}
