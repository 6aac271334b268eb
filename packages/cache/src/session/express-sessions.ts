import { type CallbackStore, callbackStore } from './callback-store.ts'
import type { SessionStore } from './session-store.ts'

/**
 * A store for express-session, on the `Store` class of the caller's own copy of it.
 * @example
 * app.use(session({ store: expressSessions(session.Store, sessions), secret, resave: false, saveUninitialized: false }))
 */
export function expressSessions<Base extends object>(
  Store: abstract new () => Base,
  sessions: SessionStore,
): Base & CallbackStore {
  return Object.assign(new (Store as new () => Base)(), callbackStore(sessions))
}

/**
 * A store for @fastify/session.
 * @example
 * await app.register(fastifySession, { store: fastifySessions(sessions), secret })
 */
export function fastifySessions(sessions: SessionStore): CallbackStore {
  return callbackStore(sessions)
}
