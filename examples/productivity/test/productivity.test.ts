import { connect } from 'node:net'
import { type Served, serve } from '@shardwright/example-support'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readYourWrites } from '../src/api/read-your-writes.ts'
import { routes } from '../src/api/routes.ts'
import { type Productivity, startProductivity } from '../src/productivity.ts'

let app: Productivity
let served: Served

beforeAll(async () => {
  app = await startProductivity()
  served = await serve({ app, routes, around: readYourWrites })
}, 180_000)

afterAll(async () => {
  await served?.[Symbol.asyncDispose]()
  await app?.[Symbol.asyncDispose]()
}, 60_000)

const users = Array.from({ length: 12 }, (_, at) => `7a000000-0000-4000-8000-0000000000${at + 10}`)

/** A browser: it keeps its cookie. */
function browser() {
  let cookie = ''
  return {
    forge: (text: string) => {
      cookie = text
    },
    cookie: () => cookie,
    async call(method: string, path: string, body?: unknown) {
      const headers = { cookie, ...(body === undefined ? {} : { 'content-type': 'application/json' }) }
      const response = await fetch(served.url + path, {
        method,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? cookie
      // biome-ignore lint/suspicious/noExplicitAny: the answer is what the test looks at.
      return { status: response.status, body: (await response.json()) as any }
    },
  }
}

describe('the productivity API', () => {
  it('keeps tasks, habits and goals of users on all four shards', async () => {
    for (const [at, user] of users.entries()) {
      const { call } = browser()
      expect((await call('PUT', `/users/${user}`, { name: `User ${at}` })).status).toBe(200)
      const first = await call('POST', `/users/${user}/tasks`, { title: 'One' })
      expect(first.status).toBe(201)
      await call('POST', `/users/${user}/tasks`, { title: 'Two' })
      const done = await call('PUT', `/users/${user}/tasks/${first.body.id}/done`)
      expect(done.body.done_at).not.toBeNull()
      const open = await call('GET', `/users/${user}/tasks?open=true`)
      expect(open.body.map(({ title }: { title: string }) => title)).toEqual(['Two'])
      expect((await call('GET', `/users/${user}/tasks`)).body).toHaveLength(2)
    }
    const perShard = await Promise.all(
      app.router.topology.shards.map(({ id }) => app.router.onShard(id).selectFrom('users').selectAll().execute()),
    )
    expect(perShard.every((rows) => rows.length > 0)).toBe(true)
    expect(perShard.flat()).toHaveLength(users.length)
  })

  it('reads what the browser has written, request after request', async () => {
    const { call, cookie } = browser()
    const user = users[0]
    const paths: string[] = []
    for (let round = 0; round < 15; round++) {
      const { body } = await call('POST', `/users/${user}/tasks`, { title: `Round ${round}` })
      paths.push(body.id)
      const { body: list } = await call('GET', `/users/${user}/tasks`)
      expect(list.map(({ id }: { id: string }) => id)).toEqual(expect.arrayContaining(paths))
    }
    expect(cookie()).toMatch(/^read-after=1!/)
    for (const id of paths) expect((await call('DELETE', `/users/${user}/tasks/${id}`)).status).toBe(200)
    expect((await call('DELETE', `/users/${user}/tasks/${paths[0]}`)).status).toBe(404)
  })

  it('a replica that lags is seen by others, and not by who has written', async () => {
    const replica = new Client({ connectionString: app.cluster.shards[0]?.replicas[0]?.url })
    await replica.connect()
    const titles = async ({ call }: ReturnType<typeof browser>): Promise<string[]> =>
      (await call('GET', `/users/${users[5]}/tasks?open=true`)).body.map(({ title }: { title: string }) => title)
    try {
      const [writer, other] = [browser(), browser()]
      await app.cluster.shards[0]?.replicas[0]?.caughtUp()
      await replica.query('select pg_wal_replay_pause()')
      const { body } = await writer.call('POST', `/users/${users[5]}/tasks`, { title: 'Just now' })
      expect(await titles(writer)).toEqual(['Two', 'Just now'])
      expect(await titles(other)).toEqual(['Two'])
      await writer.call('DELETE', `/users/${users[5]}/tasks/${body.id}`)
    } finally {
      await replica.query('select pg_wal_replay_resume()')
      await replica.end()
    }
  })

  it('a frozen replica holds nobody up who has written', async () => {
    const replica = app.cluster.shards[0]?.replicas[0]
    await replica?.pause()
    try {
      const { call } = browser()
      const { body } = await call('POST', `/users/${users[1]}/tasks`, { title: 'While it is frozen' })
      const { body: list } = await call('GET', `/users/${users[1]}/tasks`)
      expect(list.map(({ id }: { id: string }) => id)).toContain(body.id)
      await call('DELETE', `/users/${users[1]}/tasks/${body.id}`)
    } finally {
      await replica?.resume()
    }
  })

  it('a cookie that is not ours does no harm', async () => {
    const visitor = browser()
    for (const text of ['read-after=', 'read-after=1!x', 'read-after=%%%', `read-after=${'1!'.repeat(3_000)}`]) {
      visitor.forge(text)
      expect((await visitor.call('GET', `/users/${users[0]}/tasks`)).status).toBe(200)
    }
  })

  it('a day of a habit counts once, and a habit without days is there', async () => {
    const { call } = browser()
    const user = users[2]
    const run = (await call('POST', `/users/${user}/habits`, { name: 'Run' })).body.id
    await call('POST', `/users/${user}/habits`, { name: 'Sleep' })
    for (const day of ['2026-03-29', '2026-03-30', '2026-03-30']) {
      expect((await call('PUT', `/users/${user}/habits/${run}/days/${day}`)).body.day).toBe(day)
    }
    const { body } = await call('GET', `/users/${user}/habits`)
    expect(body.map(({ name, days, last }: Record<string, unknown>) => [name, days, last])).toEqual([
      ['Run', '2', '2026-03-30'],
      ['Sleep', '0', null],
    ])
  })

  it('progress of a goal adds up under concurrency, and stops at the target', async () => {
    const { call } = browser()
    const user = users[3]
    const goal = (await call('POST', `/users/${user}/goals`, { title: 'Read', target: 12 })).body.id
    const step = () => browser().call('POST', `/users/${user}/goals/${goal}/progress`, { by: 1 })
    await Promise.all(Array.from({ length: 10 }, step))
    expect((await step()).body.progress).toBe(11)
    expect((await call('POST', `/users/${user}/goals/${goal}/progress`, { by: 5 })).body.progress).toBe(12)
  })

  it('stats are those of all users', async () => {
    const { call } = browser()
    const refreshed = await call('POST', '/views/refresh')
    expect(refreshed.body.map(({ outcome }: { outcome: string }) => outcome)).toEqual(Array(4).fill('refreshed'))
    expect((await call('GET', '/stats')).body).toMatchObject({ users: '12', tasks: '24', done: '12' })
    expect((await call('GET', `/users/${users[4]}/stats`)).body).toMatchObject({ tasks: '2', done: '1' })
    const nobody = '7c000000-0000-4000-8000-000000000000'
    expect((await call('GET', `/users/${nobody}/stats`)).body).toMatchObject({ tasks: '0', done: '0' })
  })

  it('refuses what is wrong with the reason', async () => {
    const { call } = browser()
    const user = users[0]
    expect((await call('POST', `/users/nobody/tasks`, { title: 'x' })).status).toBe(400)
    expect((await call('POST', `/users/${user}/tasks`, { title: ' ' })).status).toBe(400)
    expect((await call('POST', `/users/${user}/tasks`, { title: 'x', user_id: users[1] })).status).toBe(400)
    expect((await call('POST', `/users/${user}/tasks`, { title: 'a\0b' })).status).toBe(400)
    expect((await call('POST', `/users/${user}/tasks`, { title: 'x'.repeat(200_000) })).status).toBe(413)
    expect((await call('PUT', `/users/${user}/habits/${user}/days/2026-02-30`)).status).toBe(400)
    expect((await call('GET', `/users/%zz/tasks`)).status).toBe(400)
    expect((await call('GET', `/users/7c000000-0000-4000-8000-000000000000`)).status).toBe(404)
    expect((await call('GET', '/nothing')).status).toBe(404)
    expect((await call('DELETE', '/stats')).status).toBe(405)
  })

  it('answers a body without an end, and reads on no longer', async () => {
    const user = users[0]
    const { port } = new URL(served.url)
    let sent = 0
    const socket = connect(Number(port), '127.0.0.1')
    socket.write(`POST /users/${user}/tasks HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n`)
    socket.write('transfer-encoding: chunked\r\n\r\n')
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`
    const more = setInterval(() => {
      sent += chunk.length
      socket.write(chunk)
    }, 1)
    const answer = await new Promise<string>((resolve, reject) => {
      socket.once('data', (data) => resolve(data.toString()))
      socket.once('error', reject)
    }).finally(() => clearInterval(more))
    socket.destroy()
    expect(answer).toMatch(/^HTTP\/1\.1 413 /)
    expect(answer.toLowerCase()).toContain('connection: close')
    expect(sent).toBeLessThan(50_000_000)
  })

  it('a user has one key, however the id is written', async () => {
    const { call } = browser()
    const user = 'abcdef00-0000-4000-8000-000000000001'
    await call('PUT', `/users/${user.toUpperCase()}`, { name: 'Eve' })
    expect((await call('GET', `/users/${user}`)).body).toEqual({ id: user, name: 'Eve' })
  })
})
