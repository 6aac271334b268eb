import { createServer, type Socket } from 'node:net'
import { defineTopology } from '@shardwright/core'
import { describe, expect, test } from 'vitest'
import { createShardPool } from '../../src/pool/create-shard-pool.ts'
import { failureOf, read, write } from './pool-fixture.ts'

const int32 = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
const message = (type: string, body: Buffer) => Buffer.concat([Buffer.from(type), int32(body.length + 4), body])
const parameter = (name: string, value: string) => message('S', Buffer.from(`${name}\0${value}\0`))

/** Lets anybody in and says its version, as far as a connection goes before it is refused: no server below 14 is at hand. */
async function serverOfVersion(version: string | undefined) {
  const sockets = new Set<Socket>()
  const welcome = Buffer.concat([
    message('R', int32(0)),
    ...(version === undefined ? [] : [parameter('server_version', version)]),
    message('K', Buffer.concat([int32(1), int32(2)])),
    message('Z', Buffer.from('I')),
  ])
  const listener = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.once('data', () => socket.write(welcome))
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const { port } = listener.address() as { port: number }
  return {
    sockets,
    topology: defineTopology({
      id: 'versions',
      hash: 'postgres',
      shards: [{ id: 'shard-1', primary: `postgres://app:secret@127.0.0.1:${port}/app` }],
    }),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => listener.close(resolve))
    },
  }
}

describe('a server that is too old', () => {
  test.each(['13.23', '13.23 (Debian 13.23-1.pgdg12+1)', '9.6.24', '13beta1', undefined])(
    '%s is refused on every lane, and no connection stays',
    async (version) => {
      await using server = await serverOfVersion(version)
      const pool = createShardPool(server.topology, { retry: { maxRetries: 5 } })
      const attempts = [
        pool.execute(0, read('select 1 as one where 1 = $1', 1)),
        pool.execute(0, write('insert into t values ($1)', 1)),
        pool.lease(0),
        pool.direct(0),
        pool.commitToken(0),
      ]
      for (const failure of await Promise.all(attempts.map(failureOf))) {
        expect(failure).toMatchObject({
          name: 'ConnectionError',
          code: 'UNSUPPORTED_SERVER_VERSION',
          details: { shard: 'shard-1', sent: false },
        })
        expect(failure.message).toContain('14 is needed')
        expect(`${failure.message}${failure.hint}`).not.toContain('secret')
      }
      await pool.close()
      await expect.poll(() => server.sockets.size).toBe(0)
    },
  )
})
