export const sessionNamePrefix = 'shardwright tx '

/** The application_name of the sessions of one transaction. */
export function sessionName(txid: string): string {
  return `${sessionNamePrefix}${txid}`
}
