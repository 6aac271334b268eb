import type { Client } from 'pg'
import { poolError } from './pool-error.ts'
import type { ServerContext } from './server-context.ts'
import { isStandby, isSuperseded, readIncarnation, type ServerIncarnation } from './server-incarnation.ts'
import type { Session } from './session.ts'
import { type IdentityMode, verifyIdentity } from './shard-identity.ts'

/** What the servers of one shard have in common, learned from its primary. */
export class ShardLineage {
  readonly shard: string
  readonly topologyId: string
  readonly identity: IdentityMode
  /** Of the current primary; undefined until one was met. */
  primary: ServerIncarnation | undefined

  constructor(shard: string, topologyId: string, identity: IdentityMode) {
    this.shard = shard
    this.topologyId = topologyId
    this.identity = identity
  }

  /** The token form: `system:timeline`. */
  get incarnation(): string | undefined {
    return this.primary === undefined ? undefined : `${this.primary.systemId}:${this.primary.timeline}`
  }
}

/**
 * Looks at a new session before anything runs on it: the right shard, the right role, the right family of servers.
 * @throws ConnectionError WRONG_SHARD, IDENTITY_MISSING, NO_PRIMARY, WRONG_REPLICA
 */
export async function verifySession(context: ServerContext, lineage: ShardLineage, session: Session): Promise<void> {
  const { client } = session
  const { label } = context.address
  if (context.role === 'primary') {
    await refuseStandby(context, client)
    const incarnation = await readIncarnation(client)
    if (isSuperseded(incarnation, lineage.primary)) throw supersededError(context)
    lineage.primary = incarnation
  } else {
    const incarnation = await readIncarnation(client)
    if (lineage.primary !== undefined && incarnation.systemId !== lineage.primary.systemId) {
      throw poolError(
        'WRONG_REPLICA',
        `${label} is no replica of shard ${context.shard}: it follows another primary.`,
        {
          shard: context.shard,
          server: label,
          details: { sent: false },
        },
      )
    }
  }
  await verifyIdentity(client, { topology: lineage.topologyId, shard: lineage.shard }, label, lineage.identity)
  await context.admit?.(client)
}

function supersededError({ shard, address }: ServerContext): Error {
  const message = `${address.label} (shard ${shard}) was a primary before the last failover; its data is out of date.`
  return poolError('NO_PRIMARY', message, { shard, server: address.label, details: { sent: false } })
}

/** @throws ConnectionError NO_PRIMARY */
export async function refuseStandby({ shard, address }: ServerContext, client: Client): Promise<void> {
  if (!(await isStandby(client))) return
  throw poolError('NO_PRIMARY', `${address.label} (shard ${shard}) is a standby now.`, {
    shard,
    server: address.label,
    details: { sent: false },
  })
}
