import { createConnection } from 'node:net'

/** Sends one inline command on a connection of its own and returns the first line of the reply. */
export function redisCommand(host: string, port: number, command: string, timeoutMs = 5_000): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host, port })
    let reply = ''
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no reply to ${command} within ${timeoutMs} ms`)))
    socket.on('connect', () => socket.write(`${command}\r\n`))
    socket.on('data', (chunk) => {
      reply += chunk.toString('latin1')
      const end = reply.indexOf('\r\n')
      if (end < 0) return
      socket.destroy()
      resolve(reply.slice(0, end))
    })
    socket.on('error', reject)
    socket.on('close', () => reject(new Error(`the connection was closed before a reply to ${command}`)))
  })
}
