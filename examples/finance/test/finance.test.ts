import { type Served, serve } from '@shardwright/example-support'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { routes } from '../src/api/routes.ts'
import { type Finance, startFinance } from '../src/finance.ts'

let finance: Finance
let served: Served
let url: string

beforeAll(async () => {
  finance = await startFinance()
  served = await serve({ app: finance, routes })
  url = served.url
}, 180_000)

afterAll(async () => {
  await served?.[Symbol.asyncDispose]()
  await finance?.[Symbol.asyncDispose]()
}, 60_000)

const month = new Date().toISOString().slice(0, 7)
const users = Array.from({ length: 8 }, (_, at) => `7a000000-0000-4000-8000-00000000000${at}`)

async function call(method: string, path: string, body?: unknown) {
  const init = body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  const response = await fetch(url + path, { method, ...init })
  // biome-ignore lint/suspicious/noExplicitAny: the answer is what the test looks at.
  return { status: response.status, body: (await response.json()) as any }
}

const spend = (user: string, amount: string, category: string, more: object = {}) =>
  call('POST', `/users/${user}/transactions`, { amount, category, createdAt: `${month}-02T10:00:00Z`, ...more })

describe('the finance API', () => {
  it('summarises over users on both shards, and says as of when', async () => {
    for (const [at, user] of users.entries()) {
      expect((await spend(user, `${at}.10`, 'food')).status).toBe(201)
      expect((await spend(user, '0.20', 'food')).status).toBe(201)
      expect((await call('PUT', `/users/${user}/budgets/food`, { monthlyLimit: '10.00' })).status).toBe(200)
    }
    await spend(users[0] as string, '1200', 'rent')
    const perShard = await Promise.all(
      finance.router.topology.shards.map(({ id }) =>
        finance.router.onShard(id).selectFrom('budgets').selectAll().execute(),
      ),
    )
    expect(perShard.map((rows) => rows.length > 0)).toEqual([true, true])

    const before = Date.now()
    const refreshed = await call('POST', '/views/refresh')
    expect(refreshed.body.map((report: { outcome: string }) => report.outcome)).toEqual(Array(4).fill('refreshed'))
    const all = await call('GET', `/spending?month=${month}`)
    expect(all.body.rows).toEqual([
      { category: 'food', total: '30.40', transactions: '16', average: '1.90' },
      { category: 'rent', total: '1200.00', transactions: '1', average: '1200.00' },
    ])
    // The server's clock is this machine's.
    expect(Date.parse(all.body.asOf)).toBeGreaterThanOrEqual(before - 1000)
    const one = await call('GET', `/users/${users[3]}/spending?month=${month}`)
    expect(one.body.rows).toEqual([{ category: 'food', total: '3.30', transactions: '2' }])
    const budgets = await call('GET', `/users/${users[3]}/budgets`)
    expect(budgets.body.rows).toEqual([
      { user_id: users[3], month, category: 'food', monthly_limit: '10.00', spent: '3.30', used_percent: '33.0' },
    ])
  })

  it('the views are those of the same data in one place', async () => {
    const fromTables = await finance.router
      .fanOut()
      .selectFrom('transactions')
      .groupBy('category')
      .select(({ fn }) => ['category', fn.sum<string>('amount').as('total'), fn.countAll<string>().as('number')])
      .orderBy('category')
      .execute()
    const { body } = await call('GET', `/spending?month=${month}`)
    expect(
      body.rows.map(({ category, total, transactions: number }: Record<string, string>) => ({
        category,
        total,
        number,
      })),
    ).toEqual(fromTables.map((row) => ({ ...row, number: `${row.number}` })))
  })

  it('finds by words and by details, each with its index', async () => {
    const user = '7b000000-0000-4000-8000-000000000001'
    await spend(user, '5', 'food', { description: 'Coffee with Ana', details: { place: { city: 'Gent' } } })
    await spend(user, '6', 'fuel', { description: 'Petrol, and a coffee', details: { place: { city: 'Brugge' } } })
    const words = await call('GET', `/users/${user}/transactions?text=${encodeURIComponent('coffee -petrol')}`)
    expect(words.body.map((row: { amount: string }) => row.amount)).toEqual(['5.00'])
    const details = await call(
      'GET',
      `/users/${user}/transactions?details=${encodeURIComponent('{"place":{"city":"Brugge"}}')}`,
    )
    expect(details.body.map((row: { amount: string }) => row.amount)).toEqual(['6.00'])
    for (const shard of finance.router.fleet.shards) {
      await using connection = await shard.connect()
      const { rows } = await connection.query<{ indexes: number }>(
        `select count(*)::int as indexes from pg_indexes where tablename like 'transactions\\_%' and indexdef like '% USING gin %'`,
      )
      // 16 monthly partitions, two indexes each.
      expect(rows[0]?.indexes).toBe(32)
    }
  })

  it('refuses what is wrong with the reason', async () => {
    const user = users[0] as string
    expect((await spend('nobody', '1', 'food')).status).toBe(400)
    expect((await spend(user, '1.001', 'food')).body.error).toMatch(/decimal number/)
    expect((await call('PUT', `/users/${user}/budgets/food`, { monthlyLimit: '0.00' })).status).toBe(400)
    expect((await call('GET', `/users/${user}/spending?month=March`)).status).toBe(400)
    expect((await call('GET', `/users/${user}/transactions?details=oops`)).status).toBe(400)
    expect((await call('GET', '/nothing')).status).toBe(404)
    expect((await call('PUT', '/spending')).status).toBe(405)
    const broken = await fetch(`${url}/users/${user}/transactions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{',
    })
    expect(broken.status).toBe(400)
  })

  it('answers what no column or partition takes, and bodies that are too large, with 4xx', async () => {
    const user = users[0] as string
    expect(await spend(user, '1', 'food', { createdAt: '1850-01-01T00:00:00Z' })).toMatchObject({ status: 400 })
    expect(await spend(user, '1', 'fo\0od')).toMatchObject({ status: 400 })
    expect(await spend(user, '1', 'x'.repeat(200_000))).toMatchObject({ status: 413 })
    for (const path of ['//', '///a', '/%ff']) expect((await call('GET', path)).status).toBeGreaterThanOrEqual(400)
    for (const path of ['//', '///a', '/%ff']) expect((await call('GET', path)).status).toBeLessThan(500)
    expect((await spend(user, '1', 'food')).status).toBe(201)
  })
})
