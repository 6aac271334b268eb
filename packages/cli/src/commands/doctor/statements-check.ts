import { type Check, onEveryShard, type Symptom } from './check.ts'

/** The slowest statements, where pg_stat_statements is installed. */
export const statementsCheck: Check = {
  name: 'statements',
  run: (patient) =>
    onEveryShard(patient, async (connection) => {
      const at = { check: 'statements', shard: connection.shardId }
      const installed = await connection.query<{ schema: string }>(
        `select n.nspname as schema from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'pg_stat_statements'`,
      )
      const schema = installed.rows[0]?.schema
      if (schema === undefined) {
        return [
          {
            ...at,
            severity: 'advice',
            message: 'pg_stat_statements is not installed: slow statements are not seen',
            remedy:
              "shared_preload_libraries = 'pg_stat_statements' (restart), then CREATE EXTENSION pg_stat_statements",
          },
        ]
      }
      const { rows } = await connection.query<{ query: string; calls: number; mean: number }>(
        `select query, calls::float8 as calls, mean_exec_time as mean from "${schema.replaceAll('"', '""')}".pg_stat_statements
         where dbid = (select oid from pg_database where datname = current_database()) and mean_exec_time > 200 and calls >= 5
         order by total_exec_time desc limit 5`,
      )
      return rows.map(
        (row): Symptom => ({
          ...at,
          severity: 'advice',
          message: `${Math.round(row.mean)} ms on average, ${row.calls} times: ${row.query.replace(/\s+/g, ' ').slice(0, 100)}`,
          remedy: 'Look at its plan with EXPLAIN (ANALYZE, BUFFERS) on that shard.',
        }),
      )
    }),
}
