import type { SessionData, SessionStore } from './session-store.ts'

type Done = (error?: unknown) => void
type Found = (error: unknown, session?: SessionData | null) => void

/** A store as express-session and @fastify/session call it. */
export interface CallbackStore {
  get(id: string, callback: Found): void
  set(id: string, session: object, callback?: Done): void
  touch(id: string, session: object, callback?: Done): void
  destroy(id: string, callback?: Done): void
}

interface WithCookie {
  readonly cookie?: { readonly expires?: Date | string | boolean | null; readonly maxAge?: number | null }
}

const ignore: Done = () => undefined

/** The store with callbacks; a session lives as long as its cookie. */
export function callbackStore(sessions: SessionStore): CallbackStore {
  return {
    get: (id, callback) => {
      sessions.get(id).then(
        (session) => callback(null, session ?? null),
        (error: unknown) => callback(error),
      )
    },
    set: (id, session, callback = ignore) =>
      settle(sessions.set(id, session as SessionData, lifeOf(session)), callback),
    touch: (id, session, callback = ignore) => settle(sessions.touch(id, lifeOf(session)), callback),
    destroy: (id, callback = ignore) => settle(sessions.destroy(id), callback),
  }
}

function settle(work: Promise<unknown>, callback: Done): void {
  work.then(
    () => callback(),
    (error: unknown) => callback(error),
  )
}

/** `undefined`: as long as the store's default. */
function lifeOf(session: WithCookie): number | undefined {
  const { expires, maxAge } = session.cookie ?? {}
  const end =
    expires instanceof Date ? expires.getTime() : typeof expires === 'string' ? Date.parse(expires) : Number.NaN
  if (Number.isFinite(end)) return end - Date.now()
  return typeof maxAge === 'number' && Number.isFinite(maxAge) ? maxAge : undefined
}
