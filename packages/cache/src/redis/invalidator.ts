import { randomUUID } from 'node:crypto'
import { type CommitToken, ReadContext } from '@shardwright/core'
import type { Invalidation, TierContext } from '../tiers/cache-tier.ts'
import type { Acknowledgements } from './acknowledgements.ts'
import { type Channels, encodeEvent } from './channels.ts'
import { entryKeys } from './entry-keys.ts'
import { groupBySlot } from './key-slot.ts'
import type { RedisCommands } from './redis-commands.ts'
import type { RedisLink } from './redis-link.ts'
import type { ResolvedRedisOptions } from './redis-options.ts'
import { invalidateScript } from './redis-scripts.ts'

export interface InvalidatorInit {
  readonly nodeId: string
  readonly options: ResolvedRedisOptions
  readonly commands: RedisCommands
  readonly channels: Channels
  readonly context: TierContext
  readonly acknowledgements: Acknowledgements
  readonly link: () => RedisLink
}

interface Waiting {
  readonly invalidation: Invalidation
  readonly resolve: (outcome: 'done' | 'late') => void
}

/** Sends invalidations: those of one tick together, again while the budget lasts, later when Redis returns. */
export class Invalidator {
  readonly #init: InvalidatorInit
  #waiting: Waiting[] = []
  readonly #lateKeys = new Set<string>()
  readonly #lateTokens = new ReadContext()
  #overflowed = false

  constructor(init: InvalidatorInit) {
    this.#init = init
  }

  get lateKeys(): number {
    return this.#lateKeys.size
  }

  invalidate(invalidation: Invalidation): Promise<'done' | 'late'> {
    if (invalidation.keys.length === 0) return Promise.resolve('done')
    return new Promise((resolve) => {
      this.#waiting.push({ invalidation, resolve })
      if (this.#waiting.length === 1) process.nextTick(() => void this.#flush())
    })
  }

  async clear(): Promise<'done' | 'late'> {
    const outcome = await this.#persist(() => this.#sendClear())
    if (outcome === 'late') this.#overflowed = true
    return outcome
  }

  /** Everything that is late; throws when it cannot be sent. */
  async sendLate(): Promise<void> {
    if (this.#overflowed) {
      await this.#sendClear()
      this.#overflowed = false
    }
    const keys = [...this.#lateKeys]
    if (keys.length === 0) return
    await this.#send(keys, this.#lateTokens.tokens)
    for (const key of keys) this.#lateKeys.delete(key)
  }

  /** What dies with this process. */
  abandon(): void {
    const lost = this.#lateKeys.size + (this.#overflowed ? 1 : 0)
    if (lost > 0) this.#init.context.telemetry.count('shardwright.cache.invalidations', lost, { outcome: 'lost' })
  }

  /** Long after the link went down an attempt is still made (commands may work), but no commit is held up by it. */
  get #attemptMs(): number {
    const { options, link } = this.#init
    return link().downForMs > options.invalidateBudgetMs ? options.budgetMs : options.linkLeaseMs / 2
  }

  async #flush(): Promise<void> {
    const waiting = this.#waiting
    this.#waiting = []
    const keys = [...new Set(waiting.flatMap((one) => one.invalidation.keys))]
    const tokens = new ReadContext(waiting.flatMap((one) => [...one.invalidation.tokens])).tokens
    const outcome = await this.#persist(() => this.#send(keys, tokens))
    this.#init.context.telemetry.count('shardwright.cache.invalidations', keys.length, { outcome })
    if (outcome === 'late') this.#keep(keys, tokens)
    for (const one of waiting) one.resolve(outcome)
  }

  /** Tries until it is done or the budget is used up. A link that has long been down is not waited for. */
  async #persist(work: () => Promise<void>): Promise<'done' | 'late'> {
    const { context, options, link } = this.#init
    const until = context.clock.monotonicMs() + options.invalidateBudgetMs
    for (;;) {
      try {
        await work()
        return 'done'
      } catch (error) {
        const givenUp = context.clock.monotonicMs() >= until || link().downForMs > options.invalidateBudgetMs
        if (givenUp) {
          const reason = error instanceof Error ? error.message : 'unknown trouble'
          context.telemetry.log('warn', `An invalidation could not be sent and is late: ${reason}`)
          return 'late'
        }
        await context.clock.sleep(retryMs)
      }
    }
  }

  #keep(keys: readonly string[], tokens: readonly CommitToken[]): void {
    for (const key of keys) this.#lateKeys.add(key)
    for (const token of tokens) this.#lateTokens.add(token)
    if (this.#lateKeys.size > this.#init.options.maxLateKeys) {
      this.#lateKeys.clear()
      this.#overflowed = true
    }
    this.#init.link().suspect('an invalidation is late')
  }

  async #send(keys: readonly string[], tokens: readonly CommitToken[]): Promise<void> {
    const { commands } = this.#init
    const tokenText = tokens.length === 0 ? '' : JSON.stringify(tokens)
    for (const group of groupBySlot(keys, commands.cluster)) {
      for (let from = 0; from < group.length; from += largestBatch) {
        await this.#sendBatch(group.slice(from, from + largestBatch), tokenText)
      }
    }
    if (!commands.cluster) return
    const publish = (message: string): Promise<unknown> =>
      commands.urgent(() => this.#init.link().publish(this.#init.channels.events, message), this.#attemptMs)
    for (let from = 0; from < keys.length; from += largestBatch) {
      await this.#announce({ keys: keys.slice(from, from + largestBatch) }, publish)
    }
  }

  async #sendBatch(keys: readonly string[], tokenText: string): Promise<void> {
    const { commands, options, channels } = this.#init
    const redisKeys = keys.flatMap((key) => entryKeys(key))
    const run = (message: string): Promise<unknown> =>
      commands.urgent(
        () => commands.run(invalidateScript, redisKeys, [tokenText, options.tokensTtlMs, channels.events, message]),
        this.#attemptMs,
      )
    // On a cluster the channel lives in another slot than the keys: it is told after all keys are gone.
    if (commands.cluster) await run('')
    else await this.#announce({ keys }, (message) => run(message))
  }

  async #sendClear(): Promise<void> {
    const { commands, channels, link } = this.#init
    await commands.urgent(() => commands.call('INCR', channels.generationKey), this.#attemptMs)
    await this.#announce({ keys: [], all: true }, (message) =>
      commands.urgent(() => link().publish(channels.events, message), this.#attemptMs),
    )
  }

  /** Sends a message and waits until all who got it have answered, or can no longer believe their copies. */
  async #announce(
    content: { readonly keys: readonly string[]; readonly all?: boolean },
    send: (message: string) => Promise<unknown>,
  ): Promise<void> {
    const { acknowledgements, nodeId, options, context } = this.#init
    const id = randomUUID()
    acknowledgements.expect(id)
    try {
      const receivers = Number(await send(encodeEvent({ id, from: nodeId, ...content })))
      if (options.coherence === 'notified') return
      const all = await acknowledgements.wait(id, receivers, options.linkLeaseMs * leaseMargin)
      if (!all) context.telemetry.count('shardwright.cache.silent_processes', 1)
    } finally {
      acknowledgements.forget(id)
    }
  }
}

const largestBatch = 300
const retryMs = 50
/** Clocks of two machines may run at slightly different speeds. */
const leaseMargin = 1.05
