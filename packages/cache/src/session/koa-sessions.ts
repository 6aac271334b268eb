import type { SessionData, SessionStore } from './session-store.ts'

/** A store as koa-session calls it. */
export interface KoaSessions {
  get(id: string, maxAge?: number | 'session'): Promise<SessionData | undefined>
  set(id: string, session: object, maxAge?: number | 'session'): Promise<void>
  destroy(id: string): Promise<void>
}

/**
 * A store for koa-session.
 * @example
 * app.use(session({ store: koaSessions(sessions) }, app))
 */
export function koaSessions(sessions: SessionStore): KoaSessions {
  return {
    get: (id) => sessions.get(id),
    set: async (id, session, maxAge) => {
      await sessions.set(id, session as SessionData, typeof maxAge === 'number' ? maxAge : undefined)
    },
    destroy: (id) => sessions.destroy(id),
  }
}
