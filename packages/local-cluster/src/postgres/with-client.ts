import { Client } from 'pg'

/** Runs `work` with a connection of its own and closes it. */
export async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url, application_name: 'shardwright-local-cluster' })
  client.on('error', () => {}) // a lost connection also fails the query under way, which is where it is reported
  try {
    await client.connect()
    return await work(client)
  } finally {
    await client.end().catch(() => {})
  }
}
