import type { Client } from 'pg'
import { endQuietly, openClient } from './open-client.ts'
import { poolError } from './pool-error.ts'
import type { ServerContext } from './server-context.ts'
import { type ShardLineage, verifyPrimary } from './session-verifier.ts'
import { verifyIdentity } from './shard-identity.ts'

export interface DirectOptions {
  readonly applicationName?: string
  readonly signal?: AbortSignal
}

/**
 * A client of the direct lane: past any pooler, for migrations, LISTEN and advisory locks.
 * @throws ConnectionError SHARD_UNREACHABLE, NO_PRIMARY, NOT_BEHIND_POOLER, WRONG_SHARD
 */
export async function openDirect(
  context: ServerContext,
  lineage: ShardLineage,
  options: DirectOptions,
): Promise<Client> {
  const { shard, address } = context
  if (address.pooler !== 'direct' && address.directUrl === address.url) throw pooled(context)
  const extras = {
    applicationName: options.applicationName ?? context.applicationName,
    connectTimeoutMs: context.connectTimeoutMs,
    direct: true,
  }
  const client = await openClient(shard, address, context.session, extras, options.signal)
  try {
    const { processId } = await verifyPrimary(context, lineage, client)
    if (processId !== (client as unknown as { processID: number | null }).processID) throw pooled(context)
    // Who installs the identity has none yet.
    const mode = lineage.identity === 'off' ? 'off' : 'verify'
    await verifyIdentity(client, { topology: lineage.topologyId, shard }, address.label, mode)
    return client
  } catch (error) {
    endQuietly(client)
    throw error
  }
}

function pooled({ shard, address }: ServerContext): Error {
  return poolError('NOT_BEHIND_POOLER', `The direct address of ${address.label} (shard ${shard}) is a pooler's.`, {
    shard,
    server: address.label,
    details: { sent: false },
  })
}
