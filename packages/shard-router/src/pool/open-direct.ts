import type { Client } from 'pg'
import { endQuietly, openClient } from './open-client.ts'
import type { ServerContext } from './server-context.ts'
import { type ShardLineage, verifyPrimary } from './session-verifier.ts'

export interface DirectOptions {
  readonly applicationName?: string
  readonly signal?: AbortSignal
}

/**
 * A client of the direct lane: past any pooler, for migrations, LISTEN and advisory locks.
 * @throws ConnectionError SHARD_UNREACHABLE, NO_PRIMARY
 */
export async function openDirect(
  context: ServerContext,
  lineage: ShardLineage,
  options: DirectOptions,
): Promise<Client> {
  const extras = {
    applicationName: options.applicationName ?? context.applicationName,
    connectTimeoutMs: context.connectTimeoutMs,
    direct: true,
  }
  const client = await openClient(context.shard, context.address, context.session, extras, options.signal)
  try {
    await verifyPrimary(context, lineage, client)
    return client
  } catch (error) {
    endQuietly(client)
    throw error
  }
}
