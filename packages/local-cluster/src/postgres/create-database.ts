import type { CreateDatabaseOptions } from '../cluster/local-cluster.ts'
import { checkDatabaseName, quoteIdentifier, quoteLiteral } from './identifier.ts'
import { withClient } from './with-client.ts'

/** Creates `name` by way of the server's maintenance database at `adminUrl`. */
export async function createDatabase(
  adminUrl: string,
  name: string,
  options: CreateDatabaseOptions = {},
): Promise<void> {
  const sql = createDatabaseSql(checkDatabaseName(name), options)
  await withClient(adminUrl, (client) => client.query(sql))
}

function createDatabaseSql(name: string, { icu }: CreateDatabaseOptions): string {
  const create = `CREATE DATABASE ${quoteIdentifier(name)}`
  if (icu === undefined || icu === false) return create
  // Another locale than the template's is only allowed with template0.
  const locale = quoteLiteral(icu === true ? 'und' : icu)
  return `${create} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE ${locale} LOCALE 'C'`
}
