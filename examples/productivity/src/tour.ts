const user = '0b1c3f5e-0000-4000-8000-000000000001'

/** Some requests against the API, each printed with its answer; cookies are kept as a browser does. */
export async function takeTour(url: string, print: (line: string) => void): Promise<void> {
  let cookie = ''
  const call = async (method: string, path: string, body?: unknown): Promise<{ readonly id?: string }> => {
    const headers = { cookie, ...(body === undefined ? {} : { 'content-type': 'application/json' }) }
    const response = await fetch(url + path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? cookie
    const text = await response.text()
    print(`${method} ${path}\n  ${response.status} ${text}`)
    if (!response.ok) throw new Error(`${method} ${path} gave ${response.status}`)
    return JSON.parse(text)
  }
  await call('PUT', `/users/${user}`, { name: 'Ana' })
  const task = await call('POST', `/users/${user}/tasks`, { title: 'Write the report' })
  await call('POST', `/users/${user}/tasks`, { title: 'Water the plants' })
  await call('PUT', `/users/${user}/tasks/${task.id}/done`)
  await call('GET', `/users/${user}/tasks?open=true`)
  print(`  read from a replica that has seen the writes: ${cookie}`)
  const habit = await call('POST', `/users/${user}/habits`, { name: 'Run' })
  await call('PUT', `/users/${user}/habits/${habit.id}/days/2026-03-30`)
  await call('PUT', `/users/${user}/habits/${habit.id}/days/2026-03-31`)
  await call('GET', `/users/${user}/habits`)
  const goal = await call('POST', `/users/${user}/goals`, { title: 'Read 12 books', target: 12 })
  await call('POST', `/users/${user}/goals/${goal.id}/progress`, { by: 2 })
  await call('POST', '/views/refresh')
  await call('GET', `/users/${user}/stats`)
  await call('GET', '/stats')
}
