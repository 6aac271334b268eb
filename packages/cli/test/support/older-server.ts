import { connect, createServer, type Server } from 'node:net'

const dataRow = 0x44
const parameterStatus = 0x53

/**
 * Stands before a real server and lets it pass for an older one: every value that is the server's version, and nothing else,
 * is another on its way back.
 */
export class OlderServer implements AsyncDisposable {
  readonly url: string
  readonly #server: Server

  private constructor(url: string, server: Server) {
    this.url = url
    this.#server = server
  }

  static async before(url: string, version: string, pretended: string): Promise<OlderServer> {
    const target = new URL(url)
    const server = createServer((client) => {
      const upstream = connect(Number(target.port), target.hostname)
      client.pipe(upstream)
      let rest: Buffer = Buffer.alloc(0)
      upstream.on('data', (chunk: Buffer) => {
        const messages = messagesOf(Buffer.concat([rest, chunk]))
        rest = messages.rest
        for (const message of messages.whole) client.write(changed(message, version, pretended))
      })
      for (const [one, other] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        one.on('close', () => other.destroy()).on('error', () => other.destroy())
      }
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    return new OlderServer(Object.assign(new URL(url), { port: String(port) }).href, server)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

function messagesOf(bytes: Buffer): { readonly whole: readonly Buffer[]; readonly rest: Buffer } {
  const whole: Buffer[] = []
  let at = 0
  while (at + 5 <= bytes.length) {
    const end = at + 1 + bytes.readInt32BE(at + 1)
    if (end > bytes.length) break
    whole.push(bytes.subarray(at, end))
    at = end
  }
  return { whole, rest: bytes.subarray(at) }
}

function changed(message: Buffer, version: string, pretended: string): Buffer {
  if (message[0] === parameterStatus) {
    const text = message.toString('utf8', 5)
    return text === `server_version\0${version}\0`
      ? framed(parameterStatus, Buffer.from(`server_version\0${pretended}\0`))
      : message
  }
  if (message[0] !== dataRow) return message
  const parts: Buffer[] = [message.subarray(5, 7)]
  for (let at = 7; at < message.length; ) {
    const length = message.readInt32BE(at)
    const value = message.subarray(at + 4, at + 4 + Math.max(length, 0))
    const isVersion = value.toString() === version
    const shown = isVersion ? Buffer.from(pretended) : value
    const size = Buffer.alloc(4)
    size.writeInt32BE(length < 0 ? -1 : shown.length)
    parts.push(size, shown)
    at += 4 + Math.max(length, 0)
  }
  return framed(dataRow, Buffer.concat(parts))
}

function framed(kind: number, body: Buffer): Buffer {
  const head = Buffer.alloc(5)
  head[0] = kind
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}
