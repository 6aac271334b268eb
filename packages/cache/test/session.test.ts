import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import fastifyCookie from '@fastify/cookie'
import fastifySession from '@fastify/session'
import { createSessionStore, expressSessions, fastifySessions, koaSessions } from '@shardwright/cache/session'
import express from 'express'
import expressSession from 'express-session'
import fastify from 'fastify'
import type { Redis } from 'ioredis'
import Koa from 'koa'
import koaSession from 'koa-session'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type RedisFixture, redisHere, startRedisFixture } from './redis.ts'

const secret = 'a secret of at least thirty-two characters'

describe.skipIf(!redisHere.available)('sessions on Redis', () => {
  let fixture: RedisFixture
  let client: Redis
  const closers: (() => Promise<unknown> | unknown)[] = []

  beforeAll(async () => {
    fixture = await startRedisFixture()
    client = await fixture.client()
  }, 120_000)
  afterEach(async () => {
    for (const close of closers.splice(0)) await close()
  })
  afterAll(async () => {
    await fixture?.[Symbol.asyncDispose]()
  })

  const storeOf = (prefix: string) => createSessionStore({ client, prefix: `${prefix}:`, budgetMs: 5_000 })

  async function listen(handler: RequestListener): Promise<string> {
    const server = createServer(handler).listen(0, '127.0.0.1')
    closers.push(() => {
      server.close()
      server.closeAllConnections()
    })
    await once(server, 'listening')
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  /** Three visits, a log-out and a visit with the old cookie. */
  async function visits(url: string): Promise<string[]> {
    let cookie = ''
    const seen: string[] = []
    const visit = async (path: string): Promise<void> => {
      const response = await fetch(url + path, { headers: cookie === '' ? {} : { cookie } })
      const set = response.headers.getSetCookie().map((text) => text.split(';')[0])
      if (cookie === '' && set.length > 0) cookie = set.join('; ')
      seen.push(await response.text())
    }
    for (const path of ['/', '/', '/', '/leave', '/']) await visit(path)
    return seen
  }

  it('serve Express', async () => {
    const app = express()
    const store = expressSessions(expressSession.Store, storeOf('express'))
    app.use(expressSession({ store, secret, resave: false, saveUninitialized: false, cookie: { maxAge: 60_000 } }))
    app.get('/', (request, response) => {
      const session = request.session as unknown as { views?: number }
      session.views = (session.views ?? 0) + 1
      response.send(String(session.views))
    })
    app.get('/leave', (request, response) => request.session.destroy(() => response.send('bye')))
    expect(await visits(await listen(app))).toEqual(['1', '2', '3', 'bye', '1'])
    const times = await Promise.all((await client.keys('express:*')).map((key) => client.pttl(key)))
    expect(times.filter((ms) => ms > 60_000 || ms <= 0)).toHaveLength(1) // the ended one, which is kept longer
  })

  it('serve Fastify', async () => {
    const app = fastify()
    closers.push(() => app.close())
    await app.register(fastifyCookie)
    await app.register(fastifySession, {
      secret,
      store: fastifySessions(storeOf('fastify')) as never,
      cookie: { secure: false, maxAge: 60_000 },
      saveUninitialized: false,
    })
    app.get('/', async (request) => {
      const session = request.session as unknown as { views?: number }
      session.views = (session.views ?? 0) + 1
      return String(session.views)
    })
    app.get('/leave', async (request) => {
      await request.session.destroy()
      return 'bye'
    })
    expect(await visits(await app.listen({ host: '127.0.0.1', port: 0 }))).toEqual(['1', '2', '3', 'bye', '1'])
  })

  it('serve Koa', async () => {
    const app = new Koa()
    app.keys = [secret]
    app.use(koaSession({ store: koaSessions(storeOf('koa')) as never, maxAge: 60_000 }, app))
    app.use(async (context) => {
      if (context.path === '/leave') {
        context.session = null
        context.body = 'bye'
        return
      }
      const session = context.session as { views?: number }
      session.views = (session.views ?? 0) + 1
      context.body = String(session.views)
    })
    expect(await visits(await listen(app.callback()))).toEqual(['1', '2', '3', 'bye', '1'])
  })

  it('an ended session is not brought back by a request that began before', async () => {
    const sessions = storeOf('ended')
    expect(await sessions.set('s', { user: 1 })).toBe(true)
    const before = await sessions.get('s')
    await sessions.destroy('s')
    expect(await sessions.set('s', { ...before, late: true })).toBe(false)
    expect(await sessions.touch('s')).toBe(false)
    expect(await sessions.get('s')).toBeUndefined()
  })

  it('lives as long as it is touched, and no longer', async () => {
    const sessions = storeOf('life')
    await sessions.set('s', { user: 1 }, 60)
    expect(await sessions.touch('s', 10_000)).toBe(true)
    expect(await client.pttl('life:s')).toBeGreaterThan(5_000)
    await sessions.set('t', { user: 1 }, 20)
    await new Promise((resolve) => setTimeout(resolve, 60))
    expect(await sessions.get('t')).toBeUndefined()
    expect(await sessions.touch('t')).toBe(false)
    expect(await sessions.set('t', { user: 1 }, -5)).toBe(false)
    expect(await sessions.get('s')).toEqual({ user: 1 })
  })

  it('a Redis that is away is an error, not a log-out', async () => {
    const dead = await fixture.client()
    const sessions = createSessionStore({ client: dead })
    dead.disconnect()
    await expect(sessions.get('s')).rejects.toMatchObject({ code: 'SESSION_STORE_UNAVAILABLE' })
    const store = expressSessions(expressSession.Store, sessions)
    const failure = await new Promise((resolve) => store.get('s', (error) => resolve(error)))
    expect(failure).toMatchObject({ code: 'SESSION_STORE_UNAVAILABLE' })
  })

  it('refuses what is too large or not its own', async () => {
    const sessions = createSessionStore({ client, prefix: 'size:', maxBytes: 100, budgetMs: 5_000 })
    await expect(sessions.set('s', { text: 'é'.repeat(60) })).rejects.toMatchObject({ code: 'SESSION_TOO_LARGE' })
    await client.set('size:foreign', 'not json')
    await expect(sessions.get('foreign')).rejects.toMatchObject({ code: 'SESSION_UNREADABLE' })
    expect(() => createSessionStore({ client, ttlMs: 0 })).toThrow(expect.objectContaining({ code: 'CACHE_OPTIONS' }))
  })
})
