import type { PgClient } from './pg-client.ts'

interface ClientWithSocket {
  readonly connection?: { readonly stream?: { destroy?(): void } }
}

/**
 * Says goodbye to the server, and cuts the line when it does not answer within `graceMs`: a frozen server would keep
 * the caller for ever otherwise.
 */
export async function endClient(client: PgClient, graceMs = 3000): Promise<void> {
  const { promise: cut, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(() => {
    // pg has no public way to drop a connection; other drivers fall back to waiting no longer.
    const { connection } = client as PgClient & ClientWithSocket
    connection?.stream?.destroy?.()
    resolve()
  }, graceMs)
  try {
    await Promise.race([client.end(), cut])
  } finally {
    clearTimeout(timer)
  }
}
