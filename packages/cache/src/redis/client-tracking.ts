import { isLeaseOrTokens } from './entry-keys.ts'
import { isReady, type RedisClient, type RedisSubscriber, textOf } from './redis-client.ts'

export interface ClientTrackingInit {
  readonly client: RedisClient
  /** CLIENT with these arguments, on the connection whose view is tracked. */
  readonly call: (...args: string[]) => Promise<unknown>
  /** Of the keys of all entries. */
  readonly prefix: string
  readonly changed: (keys: readonly string[]) => void
  readonly lost: (reason: string) => void
}

const channel = '__redis__:invalidate'

/**
 * Redis tells which keys with our prefix changed, whoever changed them; our own fills too (NOLOOP does not hold for
 * scripts), so the first read after a fill comes from Redis. The messages go to a connection of the second protocol:
 * ioredis drops them on the third.
 */
export class ClientTracking {
  readonly #init: ClientTrackingInit
  #listener: (RedisSubscriber & Pick<RedisClient, 'callBuffer'>) | undefined

  constructor(init: ClientTrackingInit) {
    this.#init = init
  }

  /** Again after each reconnection: the server forgets. */
  async enable(): Promise<void> {
    const listener = this.#listener ?? this.#connect()
    await isReady(listener)
    const id = textOf(await listener.callBuffer('CLIENT', 'ID').catch(() => this.#knownId))
    this.#knownId = id
    await listener.subscribe(channel)
    await this.#init.call('TRACKING', 'OFF')
    await this.#init.call('TRACKING', 'ON', 'REDIRECT', id, 'BCAST', 'PREFIX', this.#init.prefix)
  }

  close(): void {
    this.#listener?.disconnect()
  }

  /** A connection that has subscribed answers CLIENT ID no more; the id holds as long as the connection. */
  #knownId = ''

  #connect(): RedisSubscriber & Pick<RedisClient, 'callBuffer'> {
    const options = { protocol: 2, autoResubscribe: false }
    const listener = this.#init.client.duplicate(options) as RedisSubscriber & Pick<RedisClient, 'callBuffer'>
    listener.on('error', () => undefined) // its consequence is 'close', which is handled
    listener.on('close', () => {
      this.#knownId = ''
      this.#init.lost('tracking lost')
    })
    listener.on('messageBuffer', (_channel: unknown, keys: unknown) => this.#received(keys))
    this.#listener = listener
    return listener
  }

  #received(keys: unknown): void {
    if (!Array.isArray(keys)) {
      this.#init.lost('flushed')
      return
    }
    const entries = keys.map(textOf).filter((key) => !isLeaseOrTokens(key))
    if (entries.length > 0) this.#init.changed(entries)
  }
}
