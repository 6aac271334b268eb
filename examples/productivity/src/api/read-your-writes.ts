import type { IncomingMessage } from 'node:http'
import { ReadContext, runInReadContext } from '@shardwright/core'
import type { Around } from '@shardwright/example-support'
import { decodeReadContext, encodeReadContext } from '@shardwright/shard-router'

const cookieName = 'read-after'

/**
 * What a browser has written, its next request reads, although reads go to replicas: the positions of its commits travel in
 * a cookie.
 */
export const readYourWrites: Around = async (request, handle) => {
  const context = contextOf(request)
  const answer = await runInReadContext(context, handle)
  if (context.tokens.length === 0) return answer
  const cookie = `${cookieName}=${encodeReadContext(context)}; Path=/; HttpOnly; SameSite=Lax; Max-Age=60`
  return { ...answer, headers: { ...answer.headers, 'set-cookie': cookie } }
}

function contextOf({ headers }: IncomingMessage): ReadContext {
  const text = new RegExp(`(?:^|;\\s*)${cookieName}=([^;]*)`).exec(headers.cookie ?? '')?.[1]
  if (text === undefined) return new ReadContext()
  try {
    return decodeReadContext(text)
  } catch {
    // Not ours: as if it were not there.
    return new ReadContext()
  }
}
