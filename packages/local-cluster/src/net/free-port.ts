import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

// Below the range from which systems take ports of outgoing connections (32768 on Linux): a server that is down for a
// while keeps its port.
const lowestPort = 17_000
const highestPort = 32_000

const handedOut = new Set<number>()

/** A TCP port of 127.0.0.1 that nobody listens on now; never the same twice in one process. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(lowestPort, highestPort)
    if (handedOut.has(port) || !(await isFree(port))) continue
    handedOut.add(port)
    return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })
}
