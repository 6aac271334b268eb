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

interface Primary {
  readonly client: PgClient
  /** Eight hexadecimal digits. */
  readonly timeline: string
  /** Its place among the hosts. */
  readonly index: number
}

/** Once a primary has answered, how long the other hosts have to tell of a later one. */
const stragglersMs = 1_000

/**
 * Connects to the shard's primary: the only host, or of several the one that is no standby. Of two that are none, as after
 * a failover whose old primary came back, the one that was promoted later is right.
 * @throws ConnectionError SHARD_UNREACHABLE; the reason of the signal
 */
export async function openPrimary({ id, address, candidates, signal }: Opening): Promise<FleetConnection> {
  try {
    const [only, ...others] = candidates
    const client =
      only && others.length === 0 ? await openClient(only, signal) : await latestPrimary(candidates, signal)
    return new ClientConnection(id, client)
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    throw unreachable(id, address, error)
  }
}

async function latestPrimary(candidates: Opening['candidates'], signal: AbortSignal | undefined): Promise<PgClient> {
  const primaries: Primary[] = []
  let chosen = false
  let failure: unknown
  const { promise: met, resolve: meet } = Promise.withResolvers<void>()
  const asked = candidates.map(async (candidate, index) => {
    try {
      const client = await openClient(candidate, signal)
      const timeline = chosen ? undefined : await timelineOf(client)
      if (timeline === undefined || chosen) return await quietly(endClient(client))
      primaries.push({ client, timeline, index })
      meet()
    } catch (error) {
      failure = error
    }
  })
  const all = Promise.all(asked)
  await Promise.race([all, met])
  await within(stragglersMs, all)
  chosen = true
  const [first, ...rest] = primaries.toSorted((a, b) => b.timeline.localeCompare(a.timeline) || a.index - b.index)
  for (const { client } of signal?.aborted === true ? primaries : rest) void quietly(endClient(client))
  signal?.throwIfAborted()
  if (first === undefined) throw failure ?? new Error('only standbys answer')
  return first.client
}

async function within(timeoutMs: number, work: Promise<unknown>): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, timeoutMs)
  await Promise.race([work, late])
  clearTimeout(timer)
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

/** Of a primary; undefined for a standby. Ends the client when it cannot say. */
async function timelineOf(client: PgClient): Promise<string | undefined> {
  try {
    const { rows } = await client.query<{ timeline: string | null }>(
      `select case when not pg_is_in_recovery() then substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8) end as timeline`,
    )
    return rows[0]?.timeline ?? undefined
  } catch (error) {
    await quietly(endClient(client))
    throw error
  }
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
