import { LocalClusterError } from '../errors/local-cluster-error.ts'
import { withClient } from './with-client.ts'

const timeoutSeconds = 60

/** Promotes the standby whose maintenance database is at `adminUrl`. */
export async function promote(adminUrl: string, name: string): Promise<void> {
  await withClient(adminUrl, async (client) => {
    const { rows } = await client.query<{ promoted: boolean }>('SELECT pg_promote(true, $1) AS promoted', [
      timeoutSeconds,
    ])
    if (rows[0]?.promoted === true) return
    throw new LocalClusterError('SERVER_STATE', `${name} did not become a primary within ${timeoutSeconds} s`)
  })
}
