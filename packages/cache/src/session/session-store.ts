import { CacheError } from '../errors/cache-error.ts'
import { guardedCommands } from '../redis/guarded-options.ts'
import { textOf } from '../redis/redis-client.ts'
import type { RedisCommands } from '../redis/redis-commands.ts'
import { type ResolvedSessionOptions, resolveSessionOptions, type SessionStoreOptions } from './session-options.ts'
import { storeScript, touchScript } from './session-scripts.ts'

/** What a session holds: what JSON keeps. */
export type SessionData = Readonly<Record<string, unknown>>

/** Sessions in Redis, for all processes. Made by `createSessionStore`. */
export class SessionStore {
  readonly #options: ResolvedSessionOptions
  readonly #commands: RedisCommands

  constructor(options: SessionStoreOptions) {
    this.#options = resolveSessionOptions(options)
    this.#commands = guardedCommands(this.#options)
  }

  /**
   * The data of a session; `undefined` when there is none or it has ended.
   * @throws CacheError SESSION_STORE_UNAVAILABLE (Redis does not answer: nobody is logged out for that), SESSION_UNREADABLE
   */
  async get(id: string): Promise<SessionData | undefined> {
    const reply = await this.#ask(() => this.#commands.call('GET', this.#keyOf(id)))
    const text = reply === null ? '' : textOf(reply)
    if (text === '') return undefined
    try {
      return JSON.parse(text) as SessionData
    } catch (cause) {
      throw new CacheError({
        code: 'SESSION_UNREADABLE',
        message: 'A session in Redis is not JSON.',
        hint: 'Something else writes keys with this prefix: give the store a prefix of its own.',
        cause,
      })
    }
  }

  /**
   * Stores a session for `ttlMs` from now. False when the session was ended meanwhile: then nothing is stored.
   * @throws CacheError SESSION_STORE_UNAVAILABLE, SESSION_TOO_LARGE
   */
  async set(id: string, data: SessionData, ttlMs: number = this.#options.ttlMs): Promise<boolean> {
    const text = JSON.stringify(data)
    this.#checkSize(text)
    if (ttlMs <= 0) {
      await this.destroy(id)
      return false
    }
    return await this.#changed(() => this.#commands.run(storeScript, [this.#keyOf(id)], [text, Math.ceil(ttlMs)]))
  }

  /** Lets a session live for `ttlMs` from now. False when there is none. @throws CacheError SESSION_STORE_UNAVAILABLE */
  async touch(id: string, ttlMs: number = this.#options.ttlMs): Promise<boolean> {
    if (ttlMs <= 0) {
      await this.destroy(id)
      return false
    }
    return await this.#changed(() => this.#commands.run(touchScript, [this.#keyOf(id)], [Math.ceil(ttlMs)]))
  }

  /** Ends a session: no request that began before can store it again. @throws CacheError SESSION_STORE_UNAVAILABLE */
  async destroy(id: string): Promise<void> {
    await this.#ask(() => this.#commands.call('SET', this.#keyOf(id), '', 'PX', this.#options.endedForMs))
  }

  async #changed(work: () => Promise<unknown>): Promise<boolean> {
    return Number(textOf(await this.#ask(work))) === 1
  }

  async #ask(work: () => Promise<unknown>): Promise<unknown> {
    try {
      return await this.#commands.guarded(work)
    } catch (cause) {
      throw new CacheError({
        code: 'SESSION_STORE_UNAVAILABLE',
        message: 'The session store cannot be reached.',
        hint: 'Answer 503 and let the client try again; the cause says what is wrong with Redis.',
        cause,
      })
    }
  }

  #checkSize(text: string): void {
    const bytes = Buffer.byteLength(text)
    const { maxBytes } = this.#options
    if (bytes <= maxBytes) return
    throw new CacheError({
      code: 'SESSION_TOO_LARGE',
      message: `A session of ${bytes} bytes is larger than the ${maxBytes} that are allowed.`,
      hint: 'Keep ids in the session and the data in the database, or raise maxBytes.',
      details: { bytes, maxBytes },
    })
  }

  #keyOf(id: string): string {
    return `${this.#options.prefix}${id}`
  }
}

/**
 * Keeps the sessions of a web application in Redis. `expressSessions`, `fastifySessions` and `koaSessions` give it the form
 * that those frameworks take.
 * @throws CacheError CACHE_OPTIONS
 * @example
 * const sessions = createSessionStore({ client, ttlMs: 30 * 60 * 1000 })
 */
export function createSessionStore(options: SessionStoreOptions): SessionStore {
  return new SessionStore(options)
}
