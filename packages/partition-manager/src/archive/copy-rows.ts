import type { FleetConnection } from '@shardwright/core'
import { to as copyTo } from 'pg-copy-streams'

/** The rows of a COPY ... TO STDOUT as they come, with back-pressure; ends the COPY when the reader stops early. */
export async function* copyRows(connection: FleetConnection, sql: string): AsyncGenerator<Uint8Array> {
  const client = connection.client as unknown as { query(stream: ReturnType<typeof copyTo>): ReturnType<typeof copyTo> }
  const stream = client.query(copyTo(sql))
  for await (const chunk of stream) yield chunk as Uint8Array
}
