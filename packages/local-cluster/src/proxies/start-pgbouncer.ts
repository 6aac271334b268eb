import { unprivilegedAccount } from '../process/unprivileged-user.ts'
import { requireProgram } from '../programs/find-program.ts'
import type { LocalProxy } from './local-proxy.ts'
import { ProxyProcess } from './proxy-process.ts'
import { targetUrl } from './target-url.ts'

export interface PgBouncerOptions {
  /** The server behind it; every database of that server can be reached by its name. */
  readonly target: string
  readonly poolMode: 'session' | 'transaction' | 'statement'
  /** Further lines of the section [pgbouncer]. */
  readonly settings?: Readonly<Record<string, string | number>>
}

/**
 * Starts a PgBouncer before one server.
 * @throws LocalClusterError PROGRAM_UNAVAILABLE, SERVER_START_FAILED, LOCAL_CLUSTER_OPTIONS
 * @example
 * await using pooler = await startPgBouncer({ target: cluster.shard('shard-1').url, poolMode: 'transaction' })
 */
export async function startPgBouncer({ target, poolMode, settings }: PgBouncerOptions): Promise<LocalProxy> {
  const url = targetUrl(target)
  const account = unprivilegedAccount() // PgBouncer, too, refuses to work as root
  return await ProxyProcess.start({
    name: 'PgBouncer',
    program: await requireProgram('pgbouncer'),
    target: url,
    files: (port, folder) => ({
      'pgbouncer.ini': renderConfiguration(url, folder, { listen_port: port, pool_mode: poolMode, ...settings }),
      'users.txt': `${quote(decodeURIComponent(url.username))} ${quote(decodeURIComponent(url.password))}\n`,
    }),
    parameters: (folder) => [...(account === undefined ? [] : ['-u', account.name]), `${folder}/pgbouncer.ini`],
    stopSignal: { fast: 'SIGINT', immediate: 'SIGTERM' },
  })
}

function renderConfiguration(url: URL, folder: string, settings: Readonly<Record<string, string | number>>): string {
  const lines = {
    listen_addr: '127.0.0.1',
    unix_socket_dir: '',
    auth_type: 'scram-sha-256',
    auth_file: `${folder}/users.txt`,
    admin_users: decodeURIComponent(url.username),
    max_client_conn: 500,
    default_pool_size: 20,
    ignore_startup_parameters: 'extra_float_digits',
    ...settings,
  }
  const rendered = Object.entries(lines).map(([name, value]) => `${name} = ${value}\n`)
  return `[databases]\n* = host=${url.hostname} port=${url.port || 5432}\n\n[pgbouncer]\n${rendered.join('')}`
}

function quote(text: string): string {
  return `"${text.replaceAll('"', '""')}"`
}
