import { type CommitToken, ReadContext } from '@shardwright/core'
import type { Invalidation, TierContext } from '../tiers/cache-tier.ts'
import type { Announced, Announcer } from './announcer.ts'
import type { Channels } from './channels.ts'
import { entryKeys } from './entry-keys.ts'
import { groupBySlot } from './key-slot.ts'
import type { RedisCommands } from './redis-commands.ts'
import type { RedisLink } from './redis-link.ts'
import type { ResolvedRedisOptions } from './redis-options.ts'
import { invalidateScript } from './redis-scripts.ts'

export interface InvalidatorInit {
  readonly options: ResolvedRedisOptions
  readonly commands: RedisCommands
  readonly channels: Channels
  readonly context: TierContext
  readonly announcer: Announcer
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
    if (invalidation.until === 'sent') return this.#hand(invalidation)
    return new Promise((resolve) => {
      this.#waiting.push({ invalidation, resolve })
      if (this.#waiting.length === 1) process.nextTick(() => void this.#flush())
    })
  }

  async clear(until: Invalidation['until']): Promise<'done' | 'late'> {
    const { announcer } = this.#init
    if (until === 'sent') return await this.#once(() => this.#sendClear())
    const outcome = await this.#persist(async () => await announcer.answers([await this.#sendClear()]))
    if (outcome === 'late') this.#overflowed = true
    return outcome
  }

  /** Everything that is late; throws when it cannot be sent. Nobody waits for it any more, so no answers are awaited. */
  async sendLate(): Promise<void> {
    const { announcer } = this.#init
    if (this.#overflowed) {
      announcer.forget([await this.#sendClear()])
      this.#overflowed = false
    }
    const keys = [...this.#lateKeys]
    if (keys.length === 0) return
    announcer.forget(await this.#send(keys, this.#lateTokens.tokens))
    for (const key of keys) this.#lateKeys.delete(key)
  }

  /** Resolves when every process has taken note of all that was sent before, by whomever; throws when it cannot ask. */
  async confirm(): Promise<void> {
    const { announcer } = this.#init
    await announcer.answers([await announcer.send({ keys: [] }, (message) => this.#publish(message))])
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
    const { announcer } = this.#init
    const outcome = await this.#persist(async () => await announcer.answers(await this.#send(keys, tokens)))
    this.#init.context.telemetry.count('shardwright.cache.invalidations', keys.length, { outcome })
    if (outcome === 'late') this.#keep(keys, tokens)
    for (const one of waiting) one.resolve(outcome)
  }

  /** Of what stays where it came from until it has been sent, and then comes again. */
  async #hand({ keys, tokens }: Invalidation): Promise<'done' | 'late'> {
    const outcome = await this.#once(() => this.#send(keys, tokens))
    this.#init.context.telemetry.count('shardwright.cache.invalidations', keys.length, { outcome })
    return outcome
  }

  async #once(work: () => Promise<Announced | readonly Announced[]>): Promise<'done' | 'late'> {
    try {
      this.#init.announcer.forget([await work()].flat())
      return 'done'
    } catch {
      return 'late'
    }
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

  /** All of it, without waiting for any answer in between. */
  async #send(keys: readonly string[], tokens: readonly CommitToken[]): Promise<readonly Announced[]> {
    const { commands, announcer } = this.#init
    const tokenText = tokens.length === 0 ? '' : JSON.stringify(tokens)
    const announced: Announced[] = []
    try {
      for (const group of groupBySlot(keys, commands.cluster)) {
        for (const batch of batchesOf(group)) {
          // On a cluster the channel lives in another slot than the keys: it is told after all keys are gone.
          if (commands.cluster) await this.#remove(batch, tokenText, '')
          else
            announced.push(await announcer.send({ keys: batch }, (message) => this.#remove(batch, tokenText, message)))
        }
      }
      if (!commands.cluster) return announced
      for (const batch of batchesOf(keys)) {
        announced.push(await announcer.send({ keys: batch }, (message) => this.#publish(message)))
      }
      return announced
    } catch (error) {
      announcer.forget(announced)
      throw error
    }
  }

  #remove(keys: readonly string[], tokenText: string, message: string): Promise<unknown> {
    const { commands, options, channels } = this.#init
    const redisKeys = keys.flatMap((key) => entryKeys(key))
    const args = [tokenText, options.tokensTtlMs, channels.events, message]
    return commands.urgent(() => commands.run(invalidateScript, redisKeys, args), this.#attemptMs)
  }

  #publish(message: string): Promise<unknown> {
    const { commands, channels, link } = this.#init
    return commands.urgent(() => link().publish(channels.events, message), this.#attemptMs)
  }

  async #sendClear(): Promise<Announced> {
    const { commands, channels, announcer } = this.#init
    await commands.urgent(() => commands.call('INCR', channels.generationKey), this.#attemptMs)
    return await announcer.send({ keys: [], all: true }, (message) => this.#publish(message))
  }
}

function batchesOf(keys: readonly string[]): readonly (readonly string[])[] {
  if (keys.length <= largestBatch) return [keys]
  return Array.from({ length: Math.ceil(keys.length / largestBatch) }, (_, index) =>
    keys.slice(index * largestBatch, (index + 1) * largestBatch),
  )
}

const largestBatch = 300
const retryMs = 50
