import type { Client } from 'pg'
import { poolError } from './pool-error.ts'
import { meetServer } from './pooler-check.ts'
import { type FoundPrimary, findSuccessor } from './primary-finder.ts'
import type { ServerAddress } from './server-address.ts'
import type { ServerContext } from './server-context.ts'
import { isStandby, isSuperseded, readIncarnation, type ServerIncarnation } from './server-incarnation.ts'
import type { Session } from './session.ts'
import { type IdentityMode, verifyIdentity } from './shard-identity.ts'

/** What the servers of one shard have in common, learned from its primary. */
export class ShardLineage {
  readonly shard: string
  readonly topologyId: string
  readonly identity: IdentityMode
  /** Where its primary may be. */
  readonly candidates: readonly ServerAddress[]
  /** Of the current primary; undefined until one was met. */
  primary: ServerIncarnation | undefined
  #successor: Promise<FoundPrimary | undefined> | undefined

  constructor(shard: string, topologyId: string, identity: IdentityMode, candidates: readonly ServerAddress[]) {
    this.shard = shard
    this.topologyId = topologyId
    this.identity = identity
    this.candidates = candidates
  }

  /** Whether the first primary that is met was left behind by a promotion; sessions that open meanwhile share the answer. */
  async isLeftBehind(context: ServerContext, incarnation: ServerIncarnation): Promise<boolean> {
    if (this.primary !== undefined) return isSuperseded(incarnation, this.primary)
    const others = this.candidates.filter(({ url }) => url !== context.address.url)
    if (others.length === 0) return false
    this.#successor ??= findSuccessor(context, others, incarnation).finally(() => {
      this.#successor = undefined
    })
    return (await this.#successor) !== undefined
  }

  /** The token form: `system:timeline`. */
  get incarnation(): string | undefined {
    return this.primary === undefined ? undefined : `${this.primary.systemId}:${this.primary.timeline}`
  }
}

/**
 * Looks at a new session before anything runs on it: the right shard, the right role, the right family of servers.
 * @throws ConnectionError WRONG_SHARD, IDENTITY_MISSING, NO_PRIMARY, WRONG_REPLICA, POOLER_MISMATCH
 */
export async function verifySession(context: ServerContext, lineage: ShardLineage, session: Session): Promise<void> {
  const { client } = session
  const { label } = context.address
  if (context.role === 'primary') {
    lineage.primary = await verifyPrimary(context, lineage, client, () => meetServer(context, session))
  } else {
    const incarnation = await meetServer(context, session)
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

/** @throws ConnectionError NO_PRIMARY for a standby, and for a primary that a promotion has left behind */
export async function verifyPrimary(
  context: ServerContext,
  lineage: ShardLineage,
  client: Client,
  meet = () => readIncarnation(client),
): Promise<ServerIncarnation> {
  if (await isStandby(client)) throw standbyError(context)
  const incarnation = await meet()
  if (await lineage.isLeftBehind(context, incarnation)) throw supersededError(context)
  return incarnation
}

function supersededError({ shard, address }: ServerContext): Error {
  const message = `${address.label} (shard ${shard}) was a primary before the last failover; its data is out of date.`
  return poolError('NO_PRIMARY', message, { shard, server: address.label, details: { sent: false } })
}

function standbyError({ shard, address }: ServerContext): Error {
  return poolError('NO_PRIMARY', `${address.label} (shard ${shard}) is a standby now.`, {
    shard,
    server: address.label,
    details: { sent: false },
  })
}
