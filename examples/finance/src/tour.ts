const users = [
  '0b1c3f5e-0000-4000-8000-000000000001',
  '0b1c3f5e-0000-4000-8000-000000000002',
  '0b1c3f5e-0000-4000-8000-000000000003',
]

/** Some requests against the API, each printed with its answer. */
export async function takeTour(url: string, month: string, print: (line: string) => void): Promise<void> {
  const call = async (method: string, path: string, body?: unknown) => {
    const init =
      body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
    const response = await fetch(url + path, { method, ...init })
    const text = await response.text()
    print(`${method} ${decodeURI(path)}\n  ${response.status} ${text}`)
    if (!response.ok) throw new Error(`${method} ${path} gave ${response.status}`)
  }
  for (const [index, user] of users.entries()) {
    await call('PUT', `/users/${user}/budgets/food`, { monthlyLimit: '200.00' })
    await call('POST', `/users/${user}/transactions`, {
      amount: `${40 + index}.25`,
      category: 'food',
      description: 'Weekly groceries at the market',
      details: { shop: 'market', items: index + 3 },
      createdAt: `${month}-01T12:00:00Z`,
    })
  }
  await call('POST', '/views/refresh')
  await call('GET', `/users/${users[0]}/transactions?text=${encodeURIComponent('groceries -petrol')}`)
  await call('GET', `/users/${users[1]}/transactions?details=${encodeURIComponent('{"shop":"market"}')}`)
  await call('GET', `/users/${users[0]}/budgets`)
  await call('GET', `/spending?month=${month}`)
}
