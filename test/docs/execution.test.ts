// docs/execution.md: its code compiles, and what it lists is all there is.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  poolErrorCodes,
  routerErrorCodes,
  topologyStoreErrorCodes,
  transactionErrorCodes,
} from '@shardwright/shard-router'
import { expect, test } from 'vitest'
import { compile } from './support/compile.ts'

const root = join(import.meta.dirname, '../..')
const page = readFileSync(join(root, 'docs/execution.md'), 'utf8')
const prelude = `
import { combineTelemetry, defineSchema, defineTopology, fleetOf, ReadContext, reference, runInReadContext, type ShardKey, sharded } from '@shardwright/core'
import { createShardRouter, decodeReadContext, encodeReadContext, runWithDeadline, runWithReads, TopologyStore } from '@shardwright/shard-router'
import { sql } from 'kysely'
import pg from 'pg'
import { openTelemetry, type OpenTelemetryApi, type OpenTelemetryTracer } from '@shardwright/shard-router/opentelemetry'
import { type PrometheusRegistry, prometheus } from '@shardwright/shard-router/prometheus'
interface Database {
  wallets: { festival_id: ShardKey<string>; id: string; balance: string }
  festivals: { id: string; name: string }
}
const schema = defineSchema<Database>()({ tables: { wallets: sharded('festival_id'), festivals: reference() } })
const topology = defineTopology({ hash: 'postgres', shards: [{ id: 'eu-1', primary: 'postgres://app@localhost/app' }] })
declare const registry: PrometheusRegistry
declare const api: OpenTelemetryApi<unknown>
declare const tracer: OpenTelemetryTracer
`

test('the code compiles', { timeout: 120_000 }, async () => {
  const blocks = [...page.matchAll(/ *```ts\n(.*?)```/gs)].map(([, code]) => code)
  expect(blocks.length).toBeGreaterThan(6)
  const used = 'export { fresh, handle, missing, report, rows, service, watched }\n'
  expect(await compile('execution', { 'page.ts': `${prelude}${blocks.join('\n')}${used}` })).toBe('')
})

test('the errors that it names are there', () => {
  const known = { ...poolErrorCodes, ...routerErrorCodes, ...topologyStoreErrorCodes, ...transactionErrorCodes }
  const named = [...page.matchAll(/`([A-Z]+(?:_[A-Z]+)+)`/g)].map(([, code]) => code as string)
  expect(named.filter((code) => !(code in known))).toEqual([])
})

test('every metric is listed, and none that is not there', () => {
  const source = join(root, 'packages/shard-router/src')
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  const text = files.map((file) => readFileSync(join(source, file), 'utf8')).join('\n')
  const names = [...text.matchAll(/\.(?:count|record|gauge)\(\s*'(shardwright\.[a-z_.]+)'/g)].map(([, name]) => name)
  const own = [...new Set(names)].filter((name) => !name?.startsWith('shardwright.citus.')).toSorted()
  const listed = [...page.matchAll(/`(shardwright\.(?:pool|router|transactions)\.[a-z_]+)`/g)].map(([, name]) => name)
  expect([...new Set(listed)].toSorted()).toEqual(own)
})
