import { LocalClusterError } from '../errors/local-cluster-error.ts'

/** A database name that needs no escaping in a URL. */
export function checkDatabaseName(name: string): string {
  if (/^[A-Za-z0-9_-]{1,63}$/.test(name)) return name
  throw new LocalClusterError('DATABASE_NAME', `not a database name that a URL can hold: ${JSON.stringify(name)}`)
}

export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

export function quoteLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
