import { setTimeout as sleep } from 'node:timers/promises'
import { Connection } from 'pg'
import { endQuietly, openClient } from './open-client.ts'
import type { ServerContext } from './server-context.ts'
import type { Session } from './session.ts'
import type { AbortStrategy } from './shard-pool.ts'

/**
 * Does what the strategy asks with the statement that runs on a session. Until it is done the session is busy: what it
 * sends to the server would hit the next statement. Never rejects for a statement's own failure.
 */
export function stopStatement(
  context: ServerContext,
  session: Session,
  running: Promise<unknown>,
  strategy: AbortStrategy | undefined,
): Promise<void> {
  const stopped = stop(context, session, running, strategy)
  session.stopping(stopped)
  return stopped
}

async function stop(
  context: ServerContext,
  session: Session,
  running: Promise<unknown>,
  strategy: AbortStrategy | undefined,
): Promise<void> {
  if (strategy === 'cancel query') {
    await cancelUntilOver(session, running)
  } else if (strategy === 'kill session') {
    session.markDead()
    await killSession(context, session).catch(ignore)
    destroySocket(session)
  }
}

const mostCancels = 5
const firstPauseMs = 100

/**
 * A cancel that comes before the server has begun the statement is for nothing, and is sent again. One that comes too late
 * must not hit the next statement, so that the answer is awaited in any case.
 */
async function cancelUntilOver(session: Session, running: Promise<unknown>): Promise<void> {
  let over = false
  const settled = running.then(ignore, ignore).finally(() => {
    over = true
  })
  for (let sent = 0; sent < mostCancels && !over && !session.dead; sent++) {
    await cancelStatement(session)
    await Promise.race([settled, sleep(firstPauseMs * 2 ** sent, undefined, { ref: false })])
  }
  await settled
}

/** Gives a session up at once, and tells the server so if it answers. Never rejects. */
export async function abandonStatement(context: ServerContext, session: Session): Promise<void> {
  session.markDead()
  destroySocket(session)
  await killSession(context, session).catch(ignore)
}

interface CancelConnection {
  readonly stream: { destroy(): void; on(event: 'error', listener: () => void): void }
  connect(port: number, host: string): void
  cancel(processId: number, secretKey: number): void
  requestSsl(): void
  once(event: string, listener: () => void): void
  on(event: string, listener: () => void): void
}

/** Sends the protocol's CancelRequest, which needs no free connection slot and works through PgBouncer too. */
export function cancelStatement(session: Session): Promise<void> {
  const { client } = session
  const connection = new (Connection as unknown as new (config: { ssl: unknown }) => CancelConnection)({
    ssl: client.ssl,
  })
  return new Promise((resolve) => {
    const timer = setTimeout(() => connection.stream.destroy(), 5_000)
    const send = () => connection.cancel(session.processId, session.secretKey)
    connection.on('error', ignore)
    connection.once('connect', () => (client.ssl ? connection.requestSsl() : send()))
    connection.once('sslconnect', send)
    // The server closes the connection once it has passed the signal on.
    connection.once('end', () => {
      clearTimeout(timer)
      resolve()
    })
    connection.connect(
      client.port,
      client.host.startsWith('/') ? `${client.host}/.s.PGSQL.${client.port}` : client.host,
    )
  })
}

/** Ends the session on the server, whatever it does. */
export async function killSession(context: ServerContext, session: Session): Promise<void> {
  // A pooler's process id is its own invention: there only the statement can be stopped, and the caller's end closed.
  if (session.address.pooler !== 'direct') {
    await cancelStatement(session)
    return
  }
  const client = await openClient(context.shard, context.address, context.session, {
    applicationName: context.applicationName,
    connectTimeoutMs: context.connectTimeoutMs,
    direct: true,
  })
  try {
    await client.query('select pg_catalog.pg_terminate_backend($1)', [session.processId])
  } finally {
    endQuietly(client)
  }
}

export function destroySocket({ client }: { readonly client: object }): void {
  ;(client as { connection: { stream: { destroy(): void } } }).connection.stream.destroy()
}

function ignore(): void {}
