import type { ClientConfig } from 'pg'
import type { Pooler, ServerAddress } from './server-address.ts'
import { type SessionSettings, startupOptions } from './session-settings.ts'

/** What a lane adds to the settings that every session has. */
export interface SessionExtras {
  readonly applicationName: string
  readonly connectTimeoutMs: number
  /** Time limits of the lane in milliseconds, e.g. its `lock_timeout`; one of the role or the URL that is shorter stays. */
  readonly limits?: Readonly<Record<string, number>>
  readonly pipeline?: boolean
  readonly direct?: boolean
}

/** pg's config for one session on a server: the pinned settings travel as startup options where nothing refuses them. */
export function clientConfig(address: ServerAddress, session: SessionSettings, extras: SessionExtras): ClientConfig {
  const pooler: Pooler = extras.direct === true ? 'direct' : address.pooler
  const url = extras.direct === true ? address.directUrl : address.url
  const pinned = pooler === 'direct' ? startupOptions(session) : ''
  const { text, options } = withoutOptions(url)
  return {
    connectionString: text,
    // The caller's own options come first: pinned settings win.
    ...(pinned === '' && options === '' ? {} : { options: `${options} ${pinned}`.trim() }),
    application_name: extras.applicationName,
    connectionTimeoutMillis: extras.connectTimeoutMs,
    keepAlive: true,
    ...(extras.pipeline === true ? { pipeline: true } : {}),
  }
}

// pg lets parameters of the URL win over the config, so that `options` must leave the URL to be joined with ours, and
// `query_timeout` must not stay: on a pipelined client it destroys every neighbour.
function withoutOptions(url: string): { text: string; options: string } {
  const start = url.indexOf('?')
  if (start === -1) return { text: url, options: '' }
  const parameters = new URLSearchParams(url.slice(start + 1))
  const options = parameters.get('options') ?? ''
  parameters.delete('options')
  parameters.delete('query_timeout')
  parameters.delete('application_name')
  const rest = parameters.toString()
  return { text: rest === '' ? url.slice(0, start) : `${url.slice(0, start)}?${rest}`, options }
}
