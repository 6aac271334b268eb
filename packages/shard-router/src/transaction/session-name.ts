export const sessionNamePrefix = 'shardwright tx '

/** The application_name of the sessions of one transaction. */
export function sessionName(txid: string): string {
  return `${sessionNamePrefix}${txid}`
}

/** The settings of a session whose transaction spans shards, for its time: its name, and how long a lock is waited for. */
export function spanningSql(txid: string, lockTimeoutMs: number | null): string {
  const wait = lockTimeoutMs === null ? '' : `set local lock_timeout = ${lockTimeoutMs}; `
  return `${wait}set local application_name = '${sessionName(txid)}'`
}

/** The same as columns of a SELECT, each behind a comma: one statement instead of three. */
export function spanningColumns(txid: string, lockTimeoutMs: number | null): string {
  const wait = lockTimeoutMs === null ? '' : `, pg_catalog.set_config('lock_timeout', '${lockTimeoutMs}', true) as wait`
  return `${wait}, pg_catalog.set_config('application_name', '${sessionName(txid)}', true) as name`
}
