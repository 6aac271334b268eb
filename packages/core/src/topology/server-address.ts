import { TopologyError } from '../errors/topology-error.ts'
import { splitHosts } from './server-hosts.ts'

const defaultPort = '5432'

/**
 * Host, port and database of a PostgreSQL URL, for people to read; never user or password.
 * @throws TopologyError INVALID_SHARD_URL, without a word of the URL, as anything in a broken one may be the password
 */
export function addressOf(text: string, owner: string): string {
  return addressesOf(text, owner).join(',')
}

/** `host:port/database` of each host that the URL names, in a form that can be compared. Throws as `addressOf`. */
export function addressesOf(text: string, owner: string): readonly string[] {
  return splitHosts(text).map((url) => readAddress(url, owner))
}

function readAddress(text: string, owner: string): string {
  const known = withHost(text)
  const url = URL.canParse(known) ? new URL(known) : undefined
  if (!url) throw invalidUrl(owner, 'it is not a URL')
  if (url.protocol !== 'postgres:' && url.protocol !== 'postgresql:') {
    throw invalidUrl(owner, `its scheme is '${url.protocol}//', not 'postgres://'`)
  }
  // A raw '@', '/' or '#' of a password ends up here, and the host would be a piece of the password.
  if (/[@/]/.test(url.pathname.slice(1)) || url.search.includes('@') || url.hash !== '') {
    throw invalidUrl(owner, "a '/', '?', '#' or '@' in it is not percent-encoded")
  }
  // The driver decodes these when it connects, and its error would come late.
  decode(url.username, owner)
  decode(url.password, owner)
  // A socket folder travels as ?host=/var/run/postgresql, as in libpq.
  const named = known === text ? url.hostname : ''
  const host = named === '' ? url.searchParams.get('host') : named
  if (!host) throw invalidUrl(owner, 'it names no host')
  const database = decode(url.pathname.slice(1), owner)
  if (database === '') throw invalidUrl(owner, 'it names no database')
  const port = url.port === '' ? (url.searchParams.get('port') ?? defaultPort) : url.port
  return `${canonicalHost(decode(host, owner))}:${port}/${database}`
}

/** With a user before no host, as in `postgres://app:secret@/festival?host=/run`, it is a URL to libpq alone. */
function withHost(text: string): string {
  return text.replace(/^([a-z]+:\/\/[^@/?#]*@)(?=[/?])/i, '$1localhost')
}

function canonicalHost(host: string): string {
  const lower = host.toLowerCase().replace(/\.$/, '')
  // One machine under its three usual names; the rest cannot be known without asking a name server.
  return lower === 'localhost' || lower === '[::1]' ? '127.0.0.1' : lower
}

function decode(text: string, owner: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw invalidUrl(owner, 'it has a broken percent escape')
  }
}

function invalidUrl(owner: string, reason: string): TopologyError {
  return new TopologyError({
    code: 'INVALID_SHARD_URL',
    message: `The address of ${owner} is not usable: ${reason}.`,
    hint: 'Write postgres://user:password@host:port/database; percent-encode special characters of the password.',
    details: { server: owner },
  })
}
