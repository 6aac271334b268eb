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
