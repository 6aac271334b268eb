import { createHash } from 'node:crypto'
import type { TierContext } from '../tiers/cache-tier.ts'
import { codecVersion } from '../values/value-codec.ts'
import type { Acknowledgements } from './acknowledgements.ts'
import { type Channels, decodeEvent } from './channels.ts'
import { ClientTracking } from './client-tracking.ts'
import { withDeadline } from './deadline.ts'
import { Heartbeat } from './heartbeat.ts'
import { isReady, type RedisClient, type RedisSubscriber, textOf } from './redis-client.ts'
import type { RedisCommands } from './redis-commands.ts'
import type { ResolvedRedisOptions } from './redis-options.ts'

export interface RedisLinkInit {
  readonly nodeId: string
  readonly options: ResolvedRedisOptions
  readonly commands: RedisCommands
  readonly channels: Channels
  readonly context: TierContext
  readonly acknowledgements: Acknowledgements
  /** Sends what could not be sent before; throws when it still cannot. */
  readonly sendLate: () => Promise<void>
}

const clientEvents = ['close', 'end', '+node', '-node', 'node error'] as const

/**
 * Knows whether this process may believe Redis and its own copies: it hears every invalidation (a heartbeat through
 * Redis has returned within the lease), it talks to the server it knows (run id), and nothing committed waits to be sent.
 */
export class RedisLink {
  readonly #init: RedisLinkInit
  readonly #heartbeat: Heartbeat
  readonly #client: RedisClient
  readonly #tracking: ClientTracking | undefined
  #subscriber: RedisSubscriber | undefined
  #state: 'suspect' | 'linked' | 'closed' = 'suspect'
  #validUntil = 0
  #epoch: Buffer = Buffer.alloc(8)
  /** Grows with every reason for doubt, so that a settling that overlapped one does not count. */
  #doubts = 0
  #settling: Promise<void> | undefined
  #failedSettlings = 0
  #lastLinkedMs = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined
  readonly #onClientTrouble = (): void => this.suspect('connection lost')
  readonly #onReady = (): void => void this.#settle()

  constructor(init: RedisLinkInit) {
    this.#init = init
    this.#client = init.options.client
    this.#tracking = init.options.clientTracking ? this.#makeTracking() : undefined
    this.#heartbeat = new Heartbeat(init.context.clock, (text) => this.publish(this.#ownChannel, text))
  }

  get trusted(): boolean {
    return this.#state === 'linked' && this.#init.context.clock.monotonicMs() < this.#validUntil
  }

  /** Changes with the server's run id, a failover, `clear`, and the shape of the values; stamped on every value. */
  get epoch(): Buffer {
    return this.#epoch
  }

  /** How long the link has been down; 0 while it stands. */
  get downForMs(): number {
    return this.trusted ? 0 : this.#init.context.clock.monotonicMs() - this.#lastLinkedMs
  }

  async open(): Promise<void> {
    for (const event of clientEvents) this.#client.on(event, this.#onClientTrouble)
    this.#client.on('ready', this.#onReady)
    const subscriber = this.#init.commands.cluster
      ? this.#client.duplicate([], { shardedSubscribers: true })
      : this.#client.duplicate()
    this.#subscriber = subscriber
    subscriber.on('error', () => undefined) // its consequence is 'close', which is handled
    subscriber.on('close', () => this.suspect('subscription lost'))
    subscriber.on('ready', this.#onReady)
    const onMessage = (channel: string, message: string): void => this.#received(channel, message)
    subscriber.on(this.#init.commands.cluster ? 'smessage' : 'message', (channel, message) =>
      onMessage(String(channel), String(message)),
    )
    this.#schedule()
    await this.#settle()
  }

  async publish(channel: string, text: string): Promise<unknown> {
    return await this.#init.commands.call(this.#init.commands.cluster ? 'SPUBLISH' : 'PUBLISH', channel, text)
  }

  /** Believes nothing until the link has settled again; own copies are dropped. */
  suspect(reason: string): void {
    this.#doubts += 1
    if (this.#state !== 'linked') return
    this.#state = 'suspect'
    this.#init.context.listener.lost(reason)
    this.#init.context.telemetry.count('shardwright.cache.link_losses', 1, { reason })
  }

  close(): void {
    this.#state = 'closed'
    clearTimeout(this.#timer)
    for (const event of clientEvents) this.#client.off(event, this.#onClientTrouble)
    this.#client.off('ready', this.#onReady)
    this.#subscriber?.disconnect()
    this.#tracking?.close()
  }

  #makeTracking(): ClientTracking {
    const { commands, context } = this.#init
    return new ClientTracking({
      client: this.#client,
      call: (...args) => commands.call('CLIENT', ...args),
      prefix: `${context.namespace}:`,
      changed: (keys) => context.listener.invalidated(keys),
      lost: (reason) => this.suspect(reason),
    })
  }

  get #ownChannel(): string {
    return this.#init.channels.node(this.#init.nodeId)
  }

  #schedule(): void {
    this.#timer = setTimeout(() => void this.#beat(), this.#init.options.linkLeaseMs / 5)
    this.#timer.unref()
  }

  async #beat(): Promise<void> {
    if (this.#state === 'linked' && !this.trusted) this.suspect('no sign of life')
    if (this.#state === 'suspect') await this.#settle()
    else if (this.#state === 'linked') await this.#extend()
    if (this.#state !== 'closed') this.#schedule()
  }

  async #extend(): Promise<void> {
    const doubts = this.#doubts
    const sentAt = await this.#heartbeat.roundTrip(this.#init.options.linkLeaseMs)
    if (sentAt === undefined || this.#doubts !== doubts) return
    // A process that was stopped for longer than the lease has been given up by the others.
    if (this.trusted) this.#validFrom(sentAt)
    else this.suspect('stopped for longer than the lease')
  }

  #validFrom(sentAt: number): void {
    this.#validUntil = sentAt + this.#init.options.linkLeaseMs
    this.#lastLinkedMs = this.#init.context.clock.monotonicMs()
  }

  #settle(): Promise<void> {
    if (this.#state !== 'suspect') return Promise.resolve()
    this.#settling ??= this.#trySettle().finally(() => {
      this.#settling = undefined
    })
    return this.#settling
  }

  async #trySettle(): Promise<void> {
    const doubts = this.#doubts
    try {
      await this.#subscribe()
      if (this.#tracking) await withDeadline(this.#tracking.enable(), this.#init.options.linkLeaseMs / 2)
      await this.#firstBeat()
      this.#epoch = await this.#readEpoch()
      await this.#init.sendLate()
      await this.#init.context.catchUp()
      const sentAt = await this.#firstBeat()
      if (this.#doubts !== doubts || this.#state !== 'suspect') return
      this.#state = 'linked'
      this.#failedSettlings = 0
      this.#validFrom(sentAt)
    } catch (error) {
      this.#failedSettlings += 1
      const message = error instanceof Error ? error.message : 'unknown trouble'
      this.#init.context.telemetry.log('debug', `The link to Redis is not up: ${message}`)
      // The subscriber may hang on a server that is gone while the client has found the new one.
      if (this.#failedSettlings % 4 === 0 && this.#state !== 'closed') this.#subscriber?.disconnect(true)
    }
  }

  async #subscribe(): Promise<void> {
    const { channels, commands, options } = this.#init
    const names = [channels.events, this.#ownChannel]
    await withDeadline(isReady(this.#subscriber!), options.linkLeaseMs / 2)
    const subscribing = commands.cluster
      ? this.#subscriber!.ssubscribe(...names)
      : this.#subscriber!.subscribe(...names)
    await withDeadline(subscribing, options.linkLeaseMs / 2)
  }

  async #firstBeat(): Promise<number> {
    const sentAt = await this.#heartbeat.roundTrip(this.#init.options.linkLeaseMs / 2)
    if (sentAt === undefined) throw new Error('no heartbeat came back')
    return sentAt
  }

  async #readEpoch(): Promise<Buffer> {
    const { commands, channels, options, context } = this.#init
    const work = (async () => {
      const runIds = await commands.runIds()
      const generation = await commands.call('GET', channels.generationKey)
      return `${codecVersion}|${context.fingerprint}|${runIds}|${generation === null ? '' : textOf(generation)}`
    })()
    const text = await withDeadline(work, options.linkLeaseMs / 2)
    return createHash('sha256').update(text).digest().subarray(0, 8)
  }

  #received(channel: string, message: string): void {
    if (channel === this.#ownChannel) {
      if (message.startsWith('h')) this.#heartbeat.received(message.slice(1))
      else this.#init.acknowledgements.add(message.slice(1))
      return
    }
    const event = decodeEvent(message)
    if (!event) return
    if (event.all) this.suspect('cleared')
    else this.#init.context.listener.invalidated(event.keys)
    this.#acknowledge(event.from, event.id)
  }

  #acknowledge(to: string, id: string): void {
    if (to === this.#init.nodeId) {
      this.#init.acknowledgements.add(id)
      return
    }
    if (this.#init.options.coherence === 'notified') return
    // A lost answer only makes the writer wait for the end of our lease.
    this.publish(this.#init.channels.node(to), `a${id}`).catch(() => undefined)
  }
}
