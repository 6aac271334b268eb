/** What stands in front of a server. */
export type Pooler = 'direct' | 'pgbouncer-session' | 'pgbouncer-transaction'

/** A server as the topology names it. */
export interface ServerConfig {
  readonly url: string
  /** Past any pooler; the URL itself when absent. */
  readonly directUrl?: string | undefined
  readonly pooler?: Pooler | undefined
  /** Whether statements are sent by name. Default: yes, but not through a pooler in transaction mode. */
  readonly preparedStatements?: boolean | undefined
  /** Relative share of reads under `balance: 'weighted'`. */
  readonly weight?: number | undefined
}

/** One host of a server's URL. */
export interface ServerAddress {
  /** For people: host, port and database. */
  readonly label: string
  readonly host: string
  readonly port: number
  readonly database: string
  readonly url: string
  readonly directUrl: string
  readonly pooler: Pooler
  readonly preparedStatements: boolean
  readonly weight: number
}

/** The candidates of a server: `postgres://u:p@a:5432,b:5432/db` names two hosts of which one is the primary. */
export function serverAddresses(input: string | ServerConfig): readonly ServerAddress[] {
  const config: ServerConfig = typeof input === 'string' ? { url: input } : input
  const urls = splitHosts(config.url)
  const directUrls = splitHosts(config.directUrl ?? config.url)
  const pooler = config.pooler ?? 'direct'
  return Object.freeze(
    urls.map((url, index) =>
      Object.freeze({
        ...partsOf(url),
        url,
        directUrl: directUrls[index] ?? directUrls[0]!,
        pooler,
        preparedStatements: config.preparedStatements ?? pooler !== 'pgbouncer-transaction',
        weight: config.weight ?? 1,
      }),
    ),
  )
}

/** Splits `//user:password@a:1,b:2/` into one URL for each host. */
export function splitHosts(url: string): readonly string[] {
  const match = /^([a-z]+:\/\/(?:[^@/?#]*@)?)([^/?#]*)(.*)$/is.exec(url)
  if (match === null) return [url]
  const [, head = '', hosts = '', tail = ''] = match
  return hosts.split(',').map((host) => `${head}${host}${tail}`)
}

/** `postgres://user:password@/database?host=/folder` is no URL to the standard, and one to libpq and the driver. */
function withHost(url: string): string {
  return url.replace(/^([a-z]+:\/\/[^@/?#]*@)(?=[/?])/i, '$1localhost')
}

/** Host, port and database of a URL; nothing secret. */
function partsOf(url: string): Pick<ServerAddress, 'label' | 'host' | 'port' | 'database'> {
  try {
    const { hostname, port: given, pathname, searchParams } = new URL(withHost(url))
    // A socket's folder is the host, as in libpq.
    const host = searchParams.get('host') ?? (decodeURIComponent(hostname) || 'localhost')
    const port = searchParams.get('port') ?? (given || '5432')
    return {
      label: `${host}:${port}${pathname}`,
      host: host.replace(/^\[(.*)\]$/, '$1'),
      port: Number(port),
      database: decodeURIComponent(pathname.slice(1)),
    }
  } catch {
    return { label: '(server)', host: '', port: 5432, database: '' }
  }
}
