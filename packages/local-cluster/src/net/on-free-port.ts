import { LocalClusterError } from '../errors/local-cluster-error.ts'
import { freePort } from './free-port.ts'

const attempts = 5

/** Starts a server on a free port; on another one when some other program took it between our look and the start. */
export async function onFreePort<T>(start: (port: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(await freePort())
    } catch (error) {
      if (attempt === attempts || !isPortTaken(error)) throw error
    }
  }
}

function isPortTaken(error: unknown): boolean {
  return error instanceof LocalClusterError && /address already in use/i.test(String(error.details.log))
}
