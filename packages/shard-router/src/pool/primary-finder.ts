import { endQuietly, openClient } from './open-client.ts'
import type { ServerAddress } from './server-address.ts'
import type { ServerContext } from './server-context.ts'
import { isStandby, isSuperseded, readIncarnation, type ServerIncarnation } from './server-incarnation.ts'

export interface FoundPrimary {
  readonly address: ServerAddress
  readonly incarnation: ServerIncarnation
}

const probeTimeoutMs = 3_000
// All work of the shard waits for it, once.
const glanceTimeoutMs = 1_000

/**
 * Asks all candidates at once which of them is the primary. Of two that claim it, as after a failover whose old primary
 * came back, the one on the later timeline is right; one on an earlier timeline than was seen already is none.
 */
export async function findPrimary(
  context: ServerContext,
  candidates: readonly ServerAddress[],
  known: ServerIncarnation | undefined,
): Promise<FoundPrimary | undefined> {
  const answers = await Promise.all(candidates.map((address) => ask(context, address)))
  return answers
    .filter((answer) => answer !== undefined)
    .filter(({ incarnation }) => known === undefined || incarnation.systemId === known.systemId)
    .filter(({ incarnation }) => !isSuperseded(incarnation, known))
    .toSorted((a, b) => latestFirst(a, b, context.address))[0]
}

/**
 * A primary that was promoted after `known` was left behind. A process that begins has seen no promotion: an old primary
 * that came back answers it like any other, and what is written there is lost.
 */
export async function findSuccessor(
  context: ServerContext,
  others: readonly ServerAddress[],
  known: ServerIncarnation,
): Promise<FoundPrimary | undefined> {
  const answers = await Promise.all(others.map((address) => ask(context, address, glanceTimeoutMs)))
  return answers.find((answer) => answer !== undefined && isSuperseded(known, answer.incarnation))
}

function latestFirst(a: FoundPrimary, b: FoundPrimary, current: ServerAddress): number {
  const later = b.incarnation.timeline.localeCompare(a.incarnation.timeline)
  return later !== 0 ? later : Number(b.address.url === current.url) - Number(a.address.url === current.url)
}

async function ask(
  context: ServerContext,
  address: ServerAddress,
  timeoutMs = probeTimeoutMs,
): Promise<FoundPrimary | undefined> {
  const extras = { applicationName: context.applicationName, connectTimeoutMs: timeoutMs }
  const signal = AbortSignal.timeout(timeoutMs)
  try {
    const client = await openClient(context.shard, address, context.session, extras, signal)
    try {
      if (await isStandby(client)) return undefined
      return { address, incarnation: await readIncarnation(client) }
    } finally {
      endQuietly(client)
    }
  } catch {
    // Not reachable: no candidate now. The caller's own error tells why its primary failed.
    return undefined
  }
}
