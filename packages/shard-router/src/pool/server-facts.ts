import type { Client } from 'pg'

/** What a server tells about itself while a client connects. */
export interface ServerFacts {
  /** `server_version`, e.g. `18.1`. */
  readonly version: string
  /** True on a standby; undefined where the server does not say. */
  readonly standby: boolean | undefined
}

interface ParameterStatus {
  readonly parameterName: string
  readonly parameterValue: string
}

const known = new WeakMap<Client, Map<string, string>>()

/**
 * Starts to listen; call before connect(). Later changes (a promotion) are seen too, but not behind a pooler: it repeats
 * what its server said when it first met it.
 */
export function watchServerFacts(client: Client, direct: boolean): void {
  const parameters = new Map<string, string>()
  known.set(client, parameters)
  client.connection.on('parameterStatus', ({ parameterName, parameterValue }: ParameterStatus) => {
    if (direct || parameterName !== 'in_hot_standby') parameters.set(parameterName, parameterValue)
  })
}

export function serverFacts(client: Client): ServerFacts {
  const parameters = known.get(client)
  const standby = parameters?.get('in_hot_standby')
  return {
    version: parameters?.get('server_version') ?? '0',
    standby: standby === undefined ? undefined : standby === 'on',
  }
}

/** Settings that the server reports, and on which what a statement means depends. */
const watched: ReadonlySet<string> = new Set([
  'TimeZone',
  'DateStyle',
  'IntervalStyle',
  'client_encoding',
  'standard_conforming_strings',
  'search_path',
  'session_authorization',
])

/** Calls `changed` when a reported setting differs from what it is now, and when none does any more. */
export function watchSettings(client: Client, changed: (differs: boolean) => void): void {
  const atFirst = new Map(known.get(client))
  const different = new Set<string>()
  client.connection.on('parameterStatus', ({ parameterName: name, parameterValue: value }: ParameterStatus) => {
    if (!watched.has(name)) return
    if (value === atFirst.get(name)) different.delete(name)
    else different.add(name)
    changed(different.size > 0)
  })
}
