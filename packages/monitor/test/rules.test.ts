import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ManualClock } from '@shardwright/core'
import {
  type Alert,
  callerTelemetry,
  defaultMetrics,
  grafanaDashboard,
  prometheusRules,
  webhookAlerts,
} from '@shardwright/monitor'
import { expect, it } from 'vitest'

const alert: Alert = {
  metric: 'connections_ratio',
  title: 'Connections in use',
  subject: 'shard-1',
  level: 'critical',
  before: 'warning',
  value: 0.93,
  unit: 'ratio',
  atMs: 5,
  remedy: 'Lower the pools.',
}

it('writes an alert rule for each threshold, with names that do not repeat', () => {
  const rules = prometheusRules()
  const names = [...rules.matchAll(/- alert: "(\w+)"/g)].map((match) => match[1])
  const limited = defaultMetrics.filter(({ limits }) => limits !== undefined)
  const levels = limited.reduce((sum, { limits }) => sum + (limits?.warning === limits?.critical ? 1 : 2), 0)
  expect(names).toHaveLength(levels)
  expect(new Set(names).size).toBe(levels)
  for (const metric of limited) expect(rules).toContain(`metric: "${metric.name}"`)
  expect(rules.match(/expr: /g)).toHaveLength(levels)
})

it('draws a panel for each metric, in its unit', () => {
  const { panels } = grafanaDashboard({ title: 'Festival' })
  const drawn = panels.filter((panel) => panel.type === 'timeseries')
  expect(drawn.map((panel) => panel.title)).toEqual(defaultMetrics.map((metric) => metric.title))
  expect(panels.filter((panel) => panel.type === 'row').map((row) => row.title)).toEqual([
    ...new Set(defaultMetrics.map((metric) => metric.area)),
  ])
  expect(new Set(panels.map((panel) => panel.id)).size).toBe(panels.length)
  for (const panel of drawn) expect(panel.targets[0]?.expr).toBeTruthy()
  const cells = panels.map(({ gridPos: { x, y } }) => `${x} ${y}`)
  expect(new Set(cells).size).toBe(cells.length)
})

it('posts an alert to a webhook, and says so when it is not taken', async () => {
  const received: unknown[] = []
  let status = 200
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      received.push(JSON.parse(body))
      response.writeHead(status).end()
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
    const port = webhookAlerts({ url })
    await port.tell(alert)
    expect(received).toEqual([
      expect.objectContaining({ metric: 'connections_ratio', subject: 'shard-1', level: 'critical' }),
    ])
    status = 500
    await expect(port.tell(alert)).rejects.toMatchObject({ code: 'ALERT_NOT_DELIVERED', details: { status: 500 } })
  } finally {
    server.closeAllConnections()
    server.close()
  }
  await expect(webhookAlerts({ url: 'http://127.0.0.1:1/x' }).tell(alert)).rejects.toMatchObject({
    code: 'ALERT_NOT_DELIVERED',
  })
})

it('refuses options that are none', () => {
  expect(() => callerTelemetry({ windows: 0 })).toThrow(/windows/)
  expect(callerTelemetry({ clock: new ManualClock() }).series()).toEqual([])
})
