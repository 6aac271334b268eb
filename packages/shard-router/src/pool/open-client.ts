import { Client } from 'pg'
import { clientConfig, type SessionExtras } from './client-config.ts'
import { clientFailure, connectFailure } from './connect-failure.ts'
import { unanswered } from './driver-error.ts'
import { poolError } from './pool-error.ts'
import type { ServerAddress } from './server-address.ts'
import type { ServerContext } from './server-context.ts'
import { serverFacts, watchServerFacts } from './server-facts.ts'
import { limitStatement, type SessionSettings, settingStatement } from './session-settings.ts'

const oldestMajor = 14

/**
 * Opens one client with the pinned session settings.
 * @throws ConnectionError SHARD_UNREACHABLE, CONNECTION_REJECTED, AUTHENTICATION_FAILED, DATABASE_NOT_FOUND, TLS_FAILED,
 * POOLER_MISMATCH, UNSUPPORTED_SERVER_VERSION
 */
export async function openClient(
  shard: string,
  address: ServerAddress,
  session: SessionSettings,
  extras: SessionExtras,
  signal?: AbortSignal,
): Promise<Client> {
  signal?.throwIfAborted()
  const client = makeClient(shard, address, session, extras)
  watchServerFacts(client, address.pooler === 'direct' || extras.direct === true)
  // A client that fails between two statements says so here and to its lane; nobody listening would end the process.
  client.on('error', ignore)
  const abort = () => (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy()
  signal?.addEventListener('abort', abort, { once: true })
  try {
    await client.connect()
    await prepareSession(shard, client, address, session, extras)
    return client
  } catch (error) {
    endQuietly(client)
    signal?.throwIfAborted()
    throw connectFailure(shard, address, error)
  } finally {
    signal?.removeEventListener('abort', abort)
  }
}

function makeClient(shard: string, address: ServerAddress, session: SessionSettings, extras: SessionExtras): Client {
  try {
    return new Client(clientConfig(address, session, extras))
  } catch (error) {
    throw clientFailure(shard, address, error)
  }
}

/** The same for a lane: counted against the connections that all servers may have together. */
export async function openLaneClient(
  context: ServerContext,
  extras: Omit<SessionExtras, 'applicationName' | 'connectTimeoutMs'>,
  signal?: AbortSignal,
): Promise<Client> {
  const { shard, address, session, applicationName, connectTimeoutMs, budget } = context
  const settings = { applicationName, connectTimeoutMs, ...extras }
  if (budget === undefined) return await openClient(shard, address, session, settings, signal)
  const place = await budget.enter(connectTimeoutMs, signal)
  try {
    const either = signal === undefined ? place.signal : AbortSignal.any([signal, place.signal])
    const client = await openClient(shard, address, session, settings, either)
    place.opened()
    client.once('end', place.leave)
    return client
  } catch (error) {
    place.leave()
    throw place.signal.aborted ? unanswered(context, error) : error
  }
}

async function prepareSession(
  shard: string,
  client: Client,
  address: ServerAddress,
  session: SessionSettings,
  extras: SessionExtras,
): Promise<void> {
  const version = serverFacts(client).version
  if (Number.parseInt(version, 10) < oldestMajor) {
    throw poolError(
      'UNSUPPORTED_SERVER_VERSION',
      `${address.label} runs PostgreSQL ${version}; ${oldestMajor} is needed.`,
      { shard, server: address.label, details: { sent: false } },
    )
  }
  if (address.pooler !== 'direct' && extras.direct !== true) {
    // PgBouncer refuses startup options but follows DateStyle, TimeZone and (from 1.20) IntervalStyle of each client.
    await client.query(settingStatement(pick(session, address.pooler === 'pgbouncer-session' ? undefined : followed)))
    if (address.pooler === 'pgbouncer-transaction') await verifySettings(shard, client, address, session)
  }
  if (extras.limits !== undefined) await client.query(limitStatement(extras.limits))
}

const followed = ['DateStyle', 'TimeZone']

function pick(
  settings: Readonly<Record<string, string>>,
  names: readonly string[] | undefined,
): Record<string, string> {
  return Object.fromEntries(Object.entries(settings).filter(([name]) => names === undefined || names.includes(name)))
}

async function verifySettings(
  shard: string,
  client: Client,
  address: ServerAddress,
  session: SessionSettings,
): Promise<void> {
  for (const [name, value] of Object.entries(session)) {
    const answer = await client.query('select pg_catalog.current_setting($1) as value', [name])
    const actual = (answer.rows[0] as { value: string }).value
    // DateStyle has its order behind the style.
    if (actual.split(',')[0] === value) continue
    throw poolError('SESSION_SETTINGS_DIFFER', `${address.label}: ${name} is '${actual}' where '${value}' is needed.`, {
      shard,
      server: address.label,
      hint: `ALTER DATABASE ... SET ${name} = '${value}' on the server, as the pooler does not keep it per client.`,
    })
  }
}

/** Ends a client without waiting; its end can fail only when it is already gone. */
export function endQuietly(client: Client): void {
  client.end().catch(ignore)
}

function ignore(): void {}
