import type { WireConnection } from './wire-connection.ts'

interface Gathering {
  readonly connection: WireConnection
  chunks: Uint8Array[]
}

/** More than this is not copied once more. */
const mostBytes = 65_536

const gatherings = new WeakMap<WireConnection, Gathering>()

/**
 * Sends what `write` writes as one piece: to hand over a dozen small ones in one system call costs as much as that call,
 * and pg makes one of each message. When `write` throws, nothing is sent.
 */
export function inOneWrite(connection: WireConnection, write: (connection: WireConnection) => void): void {
  const gathering = gatheringOf(connection)
  const chunks: Uint8Array[] = []
  gathering.chunks = chunks
  write(gathering.connection)
  const { stream } = connection
  if (!stream.writable || chunks.length === 0) return
  const bytes = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0)
  if (bytes <= mostBytes) {
    stream.write(chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks, bytes))
    return
  }
  stream.cork?.()
  for (const chunk of chunks) stream.write(chunk)
  stream.uncork?.()
}

/** pg's own connection with another stream beneath it: its messages are its own, only where they go is not. */
function gatheringOf(connection: WireConnection): Gathering {
  const known = gatherings.get(connection)
  if (known !== undefined) return known
  const stream: WireConnection['stream'] = {
    get writable() {
      return connection.stream.writable
    },
    write(chunk) {
      gathering.chunks.push(chunk)
      return true
    },
  }
  const gathering: Gathering = {
    connection: Object.create(connection, { stream: { value: stream } }) as WireConnection,
    chunks: [],
  }
  gatherings.set(connection, gathering)
  return gathering
}
