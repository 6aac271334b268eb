import { endQuietly, openClient } from './open-client.ts'
import type { ServerAddress } from './server-address.ts'
import type { ServerContext } from './server-context.ts'
import { isStandby, isSuperseded, readIncarnation, type ServerIncarnation } from './server-incarnation.ts'

export interface FoundPrimary {
  readonly address: ServerAddress
  readonly incarnation: ServerIncarnation
}

const probeTimeoutMs = 3_000

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
    .toSorted((a, b) => b.incarnation.timeline.localeCompare(a.incarnation.timeline))[0]
}

async function ask(context: ServerContext, address: ServerAddress): Promise<FoundPrimary | undefined> {
  const extras = { applicationName: context.applicationName, connectTimeoutMs: probeTimeoutMs }
  const signal = AbortSignal.timeout(probeTimeoutMs)
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
