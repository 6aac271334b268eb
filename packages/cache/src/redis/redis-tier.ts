import { randomUUID } from 'node:crypto'
import type { CommitToken } from '@shardwright/core'
import type { Acquired, CacheTier, FillOutcome, Invalidation, Lease, TierContext } from '../tiers/cache-tier.ts'
import type { Entry } from '../tiers/entry.ts'
import { type ValueCodec, valueCodec } from '../values/value-codec.ts'
import { Acknowledgements } from './acknowledgements.ts'
import { Announcer } from './announcer.ts'
import { channelsOf } from './channels.ts'
import { entryKeys } from './entry-keys.ts'
import { decodeFrame, encodeFrame } from './frame.ts'
import { Invalidator } from './invalidator.ts'
import { ReadBatcher } from './read-batcher.ts'
import { textOf } from './redis-client.ts'
import { isBreakerOpen, RedisCommands } from './redis-commands.ts'
import { RedisLink } from './redis-link.ts'
import { type RedisTierOptions, type ResolvedRedisOptions, resolveRedisOptions } from './redis-options.ts'
import type { RedisScript } from './redis-script.ts'
import { acquireScript, fillScript, releaseScript, renewScript } from './redis-scripts.ts'

/**
 * Entries in Redis or Valkey, shared by all processes of a namespace. Give it an ioredis client of its own, with
 * `enableOfflineQueue: false` and `maxRetriesPerRequest: 0`; a second connection is duplicated from it.
 * @example
 * const client = new Redis(url, { enableOfflineQueue: false, maxRetriesPerRequest: 0 })
 * createCache({ namespace: 'shop', tiers: [memoryTier(), redisTier({ client })] })
 */
export function redisTier(options: RedisTierOptions): CacheTier {
  return new RedisTier(resolveRedisOptions(options))
}

interface RedisLease extends Lease {
  readonly token: string
  /** Of the time of `acquire`: a value loaded under it must not look like one of a later epoch. */
  readonly epoch: Buffer
}

class RedisTier implements CacheTier {
  readonly name = 'redis'
  readonly shared = true
  readonly #options: ResolvedRedisOptions
  readonly #nodeId = randomUUID()
  readonly #commands: RedisCommands
  readonly #reads: ReadBatcher
  #link: RedisLink | undefined
  #invalidator: Invalidator | undefined
  #context: TierContext | undefined
  #codec: ValueCodec = valueCodec([])
  #leases = 0

  constructor(options: ResolvedRedisOptions) {
    this.#options = options
    const { client, budgetMs, breakAfterFailures, breakForMs } = options
    const onBreak = (): void => this.#link?.suspect('breaker open')
    this.#commands = new RedisCommands({ client, budgetMs, breakAfterFailures, breakForMs, onBreak })
    this.#reads = new ReadBatcher(this.#commands)
  }

  get trusted(): boolean {
    return this.#link?.trusted === true
  }

  async open(context: TierContext): Promise<void> {
    this.#context = context
    this.#codec = valueCodec(context.valueTypes)
    const acknowledgements = new Acknowledgements(context.clock)
    const channels = channelsOf(context.namespace)
    const shared = {
      nodeId: this.#nodeId,
      options: this.#options,
      commands: this.#commands,
      channels,
      context,
      acknowledgements,
    }
    const invalidator = new Invalidator({ ...shared, announcer: new Announcer(shared), link: () => link })
    const link = new RedisLink({ ...shared, sendLate: () => invalidator.sendLate() })
    this.#invalidator = invalidator
    this.#link = link
    await link.open()
  }

  read(key: string): Promise<Entry | undefined | 'unavailable'> {
    if (!this.trusted) return nothingToSay
    return this.#reads.read(key).then(
      // Asked again after the answer: the connection may have moved to another server in between.
      (frame) => (this.trusted ? frame && this.#decode(frame) : 'unavailable'),
      (error: unknown) => this.#unavailable('read', error),
    )
  }

  async acquire(key: string, seen: Entry | undefined, leaseMs: number): Promise<Acquired> {
    if (!this.trusted) return unavailable
    const { epoch } = this.#link!
    const lease: RedisLease = { key, token: `${this.#nodeId}:${++this.#leases}`, epoch }
    const reply = await this.#run(acquireScript, entryKeys(key), [lease.token, leaseMs, epoch, seen?.fillId ?? ''])
    if (reply === undefined || !this.trusted) return unavailable
    const [kind, content] = reply as [Buffer, Buffer]
    if (textOf(kind) === 'held') return held
    if (textOf(kind) === 'lease') return { kind: 'lease', lease, requires: tokensOf(content) }
    const entry = this.#decode(content)
    return entry ? { kind: 'entry', entry } : unavailable
  }

  async renew(lease: Lease, leaseMs: number): Promise<boolean> {
    const [, leaseKey] = entryKeys(lease.key)
    return Number(await this.#run(renewScript, [leaseKey], [(lease as RedisLease).token, leaseMs])) === 1
  }

  async fill(lease: Lease, entry: Entry): Promise<FillOutcome> {
    const { token, epoch } = lease as RedisLease
    const frame = encodeFrame(entry, epoch, {
      codec: this.#codec,
      compressAboveBytes: this.#options.compressAboveBytes,
    })
    this.#context!.telemetry.record('shardwright.cache.value_bytes', frame.length, redisAttributes)
    const [valueKey, leaseKey] = entryKeys(lease.key)
    const tooLarge = frame.length > this.#options.maxValueBytes
    const lifeMs = Math.ceil(entry.staleUntil - this.#context!.clock.now())
    const reply =
      tooLarge || lifeMs <= 0
        ? await this.#run(releaseScript, [valueKey, leaseKey], [token, '1'])
        : await this.#run(fillScript, [valueKey, leaseKey], [token, frame, lifeMs, this.#context!.leases ? '1' : '0'])
    if (reply === undefined) return 'unavailable'
    if (Number(reply) !== 1) return 'refused'
    return tooLarge ? 'dropped' : 'stored'
  }

  async release(lease: Lease, drop: boolean): Promise<void> {
    const [valueKey, leaseKey] = entryKeys(lease.key)
    await this.#run(releaseScript, [valueKey, leaseKey], [(lease as RedisLease).token, drop ? '1' : '0'])
  }

  async invalidate(invalidation: Invalidation): Promise<'done' | 'late'> {
    return await this.#invalidator!.invalidate(invalidation)
  }

  async clear(until?: Invalidation['until']): Promise<'done' | 'late'> {
    return await this.#invalidator!.clear(until)
  }

  async confirm(): Promise<void> {
    if (this.trusted) await this.#invalidator!.confirm()
  }

  async close(): Promise<void> {
    this.#invalidator?.abandon()
    this.#link?.close()
  }

  /** A frame that cannot be decoded (written by something else) does not exist. */
  #decode(frame: Buffer): Entry | undefined {
    try {
      const entry = decodeFrame(frame, this.#link!.epoch, this.#codec)
      return entry && entry.staleUntil > this.#context!.clock.now() ? entry : undefined
    } catch {
      this.#context!.telemetry.count('shardwright.cache.undecodable', 1, redisAttributes)
      return undefined
    }
  }

  async #run(
    script: RedisScript,
    keys: readonly string[],
    args: readonly (string | number | Buffer)[],
  ): Promise<unknown> {
    try {
      return await this.#commands.guarded(() => this.#commands.run(script, keys, args))
    } catch (error) {
      this.#unavailable('script', error)
      return undefined
    }
  }

  #unavailable(operation: string, error: unknown): 'unavailable' {
    const reason = isBreakerOpen(error) ? 'breaker' : error instanceof Error ? error.name : 'unknown'
    this.#context!.telemetry.count('shardwright.cache.tier_failures', 1, { tier: 'redis', operation, reason })
    return 'unavailable'
  }
}

const nothingToSay: Promise<'unavailable'> = Promise.resolve('unavailable')
const unavailable: Acquired = Object.freeze({ kind: 'unavailable' })
const held: Acquired = Object.freeze({ kind: 'held' })
const redisAttributes = Object.freeze({ tier: 'redis' })

function tokensOf(content: Buffer): readonly CommitToken[] {
  return content.length === 0 ? [] : (JSON.parse(content.toString('utf8')) as CommitToken[])
}
