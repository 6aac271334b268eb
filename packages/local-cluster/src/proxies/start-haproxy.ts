import { LocalClusterError } from '../errors/local-cluster-error.ts'
import { requireProgram } from '../programs/find-program.ts'
import type { LocalProxy } from './local-proxy.ts'
import { ProxyProcess } from './proxy-process.ts'
import { targetUrl } from './target-url.ts'

export interface HaproxyOptions {
  /** The servers behind it, with the same credentials on each. */
  readonly targets: readonly string[]
  /** `roundrobin` spreads connections (default), `first` takes the next one only when those before it are down. */
  readonly balance?: 'roundrobin' | 'first'
}

/**
 * Starts an HAProxy that forwards TCP connections to those targets that accept them.
 * @throws LocalClusterError PROGRAM_UNAVAILABLE, SERVER_START_FAILED, LOCAL_CLUSTER_OPTIONS
 * @example
 * await using proxy = await startHaproxy({ targets: cluster.shard('shard-1').replicas.map(({ url }) => url) })
 */
export async function startHaproxy({ targets, balance = 'roundrobin' }: HaproxyOptions): Promise<LocalProxy> {
  const urls = targets.map(targetUrl)
  const [first] = urls
  if (first === undefined) throw new LocalClusterError('LOCAL_CLUSTER_OPTIONS', 'option targets names no server')
  return await ProxyProcess.start({
    name: 'HAProxy',
    program: await requireProgram('haproxy'),
    target: first,
    files: (port) => ({ 'haproxy.cfg': renderConfiguration(port, urls, balance) }),
    // -db: in the foreground.
    parameters: (folder) => ['-db', '-f', `${folder}/haproxy.cfg`],
    stopSignal: { fast: 'SIGTERM', immediate: 'SIGTERM' },
  })
}

function renderConfiguration(port: number, urls: readonly URL[], balance: string): string {
  const servers = urls.map((url, index) => {
    const backup = balance === 'first' && index > 0 ? ' backup' : ''
    return `  server target-${index + 1} ${url.hostname}:${url.port || 5432} check inter 200ms fall 2 rise 1${backup}\n`
  })
  return `global
  maxconn 1000
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  timeout check 2s
listen postgres
  bind 127.0.0.1:${port}
  balance roundrobin
  option redispatch
  retries 3
${servers.join('')}`
}
