import { ConnectionError } from '../errors/connection-error.ts'
import { redactText } from '../errors/redact-url.ts'
import { ClientConnection } from './client-connection.ts'
import { endClient } from './end-client.ts'
import type { FleetConnection } from './fleet.ts'
import type { PgClient } from './pg-client.ts'

export interface Opening {
  readonly id: string
  readonly address: string
  /** One per host of the URL. */
  readonly candidates: readonly (() => PgClient)[]
  readonly signal: AbortSignal | undefined
}

/**
 * Connects to the shard's primary: the only host, or the first of several that is no standby.
 * @throws ConnectionError SHARD_UNREACHABLE; the reason of the signal
 */
export async function openPrimary({ id, address, candidates, signal }: Opening): Promise<FleetConnection> {
  let failure: unknown
  for (const candidate of candidates) {
    try {
      const client = await openClient(candidate, signal)
      if (candidates.length === 1 || (await isPrimary(client))) return new ClientConnection(id, client)
      failure ??= new Error('only standbys answer')
    } catch (error) {
      if (signal?.aborted) throw signal.reason
      failure = error
    }
  }
  throw unreachable(id, address, failure)
}

async function openClient(make: () => PgClient, signal: AbortSignal | undefined): Promise<PgClient> {
  signal?.throwIfAborted()
  const client = make()
  // A lost connection also rejects the statement under way; without a listener it would end the process.
  client.on('error', () => {})
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal?.reason)
  signal?.addEventListener('abort', abort, { once: true })
  try {
    await Promise.race([client.connect(), aborted])
    return client
  } catch (error) {
    // Whoever gave up does not wait for a server that may be frozen.
    if (signal?.aborted) void quietly(endClient(client, 0))
    else await quietly(endClient(client))
    throw error
  } finally {
    signal?.removeEventListener('abort', abort)
  }
}

/** Ends the client when it is of no use. */
async function isPrimary(client: PgClient): Promise<boolean> {
  let primary = false
  try {
    const { rows } = await client.query<{ standby: boolean }>('select pg_is_in_recovery() as standby')
    primary = rows[0]?.standby === false
  } finally {
    if (!primary) await quietly(endClient(client))
  }
  return primary
}

/** The failure that led here is the one to report. */
async function quietly(work: Promise<void>): Promise<void> {
  await work.catch(() => {})
}

function unreachable(shard: string, address: string, cause: unknown): ConnectionError {
  return new ConnectionError({
    code: 'SHARD_UNREACHABLE',
    message: `Shard '${shard}' (${address}) cannot be reached: ${reasonOf(cause)}`,
    hint: 'Check that the server runs, and its address, user and password.',
    details: { shard, address, reasonCode: codeOf(cause) },
    cause,
  })
}

function reasonOf(cause: unknown): string {
  // Node gives one AggregateError, without a message, when a host name has several addresses.
  const first = cause instanceof AggregateError ? cause.errors[0] : cause
  return redactText(
    first instanceof Error && first.message !== '' ? first.message : (codeOf(cause) ?? 'unknown reason'),
  )
}

function codeOf(cause: unknown): string | undefined {
  if (typeof cause !== 'object' || cause === null || !('code' in cause)) return undefined
  return typeof cause.code === 'string' ? cause.code : undefined
}
