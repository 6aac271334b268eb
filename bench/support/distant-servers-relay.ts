import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'

export interface Distance {
  readonly ports: readonly number[]
  readonly delayMs: number
}

// A port in front of each server, in a thread of its own: the delay is not the client's work.
const { ports, delayMs } = workerData as Distance
parentPort?.postMessage(await Promise.all(ports.map(relayTo)))

async function relayTo(port: number): Promise<number> {
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ host: '127.0.0.1', port, noDelay: true })
    carry(near, far)
    carry(far, near)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** Timers of one duration fire in order, and so the bytes keep theirs. */
function carry(from: Socket, to: Socket): void {
  from.on('data', (chunk) => setTimeout(() => to.writable && to.write(chunk), delayMs))
  from.on('end', () => setTimeout(() => to.end(), delayMs))
  from.on('error', () => to.destroy())
}
