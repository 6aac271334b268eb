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

/** Starts to listen; call before connect(). Later changes (a promotion) are seen too. */
export function watchServerFacts(client: Client): void {
  const parameters = new Map<string, string>()
  known.set(client, parameters)
  client.connection.on('parameterStatus', (message: ParameterStatus) => {
    parameters.set(message.parameterName, message.parameterValue)
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
