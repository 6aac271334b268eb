import { randomUUID } from 'node:crypto'
import type { TierContext } from '../tiers/cache-tier.ts'
import type { Acknowledgements } from './acknowledgements.ts'
import { encodeEvent } from './channels.ts'
import type { ResolvedRedisOptions } from './redis-options.ts'

export interface AnnouncerInit {
  readonly nodeId: string
  readonly options: ResolvedRedisOptions
  readonly context: TierContext
  readonly acknowledgements: Acknowledgements
}

export interface Announcement {
  readonly keys: readonly string[]
  /** True for `clear`. */
  readonly all?: boolean
}

/** A message that is on its way to so many processes. */
export interface Announced {
  readonly id: string
  readonly receivers: number
}

/** Tells all processes of invalidations. Sending and waiting are two steps: nothing that is to be sent waits for answers. */
export class Announcer {
  readonly #init: AnnouncerInit

  constructor(init: AnnouncerInit) {
    this.#init = init
  }

  /** `publish` gives how many processes listen. */
  async send(content: Announcement, publish: (message: string) => Promise<unknown>): Promise<Announced> {
    const { acknowledgements, nodeId } = this.#init
    const id = randomUUID()
    acknowledgements.expect(id)
    try {
      return { id, receivers: Number(await publish(encodeEvent({ id, from: nodeId, ...content }))) }
    } catch (error) {
      acknowledgements.forget(id)
      throw error
    }
  }

  /** Resolves when all who got the messages have answered, or can no longer believe their copies. */
  async answers(announced: readonly Announced[]): Promise<void> {
    const { acknowledgements, options, context } = this.#init
    if (options.coherence === 'notified') {
      this.forget(announced)
      return
    }
    const waitMs = options.linkLeaseMs * leaseMargin
    const complete = await Promise.all(
      announced.map(({ id, receivers }) => acknowledgements.wait(id, receivers, waitMs)),
    )
    if (complete.includes(false)) context.telemetry.count('shardwright.cache.silent_processes', 1)
  }

  /** Nobody waits for their answers. */
  forget(announced: readonly Announced[]): void {
    for (const { id } of announced) this.#init.acknowledgements.forget(id)
  }
}

/** Clocks of two machines may run at slightly different speeds. */
const leaseMargin = 1.05
