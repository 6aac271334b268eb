// The README's code runs, its table of routing holds, and its links lead somewhere.
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { defineSchema, reference, type ShardKey, ShardwrightError, sharded } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { createShardRouter, type Explainable } from '@shardwright/shard-router'
import { CompiledQuery } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compile } from './support/compile.ts'

const root = join(import.meta.dirname, '../..')
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const blocks = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code as string)
const quickStart = 'examples/festival/src/quick-start.ts'

describe("the README's code", () => {
  it('is the quick start, which runs', async () => {
    expect(blocks[0]).toBe(readFileSync(join(root, quickStart), 'utf8'))
    const run = promisify(execFile)
    const { stdout } = await run(process.execPath, ['--conditions=shardwright-source', join(root, quickStart)])
    expect(stdout).toContain("[ { festival_id: 'nordlicht', id: 'w1', balance: '20.00' } ]")
    expect(stdout).toContain("[ { stand_id: 3, total: '4.50' } ]")
    expect(stdout).toContain('fan-out: shard-1, shard-2')
  }, 120_000)

  it('compiles', async () => {
    const [start, ...others] = blocks as [string, ...string[]]
    const prelude = start.slice(0, start.indexOf('await using cluster'))
    const files = others.map((block, index) => [`block-${index}.ts`, prelude + block] as const)
    expect(await compile('readme', { 'start.ts': start, ...Object.fromEntries(files) })).toBe('')
  }, 120_000)
})

describe("the README's table of routing", () => {
  interface Database {
    festivals: { id: string; name: string }
    wallets: { festival_id: ShardKey<string>; id: string; balance: string }
    transactions: { festival_id: ShardKey<string>; id: string; wallet_id: string; stand_id: number; amount: string }
    accounts: { id: ShardKey<string>; name: string }
    tickets: { user_id: ShardKey<string>; id: string; festival_id: string }
  }
  const schema = defineSchema<Database>()({
    tables: {
      festivals: reference(),
      wallets: sharded('festival_id'),
      transactions: sharded('festival_id'),
      accounts: sharded('id', { family: 'user_id' }),
      tickets: sharded('user_id'),
    },
  })
  const rows = [...readme.matchAll(/^\| `(.+)` +\| `([\w-]+)` +\|$/gm)].map(([, code, outcome]) => ({ code, outcome }))
  const openRouter = (own: LocalCluster) =>
    createShardRouter({ schema, topology: { hash: 'postgres', ...own.topologyInput() } })
  let cluster: LocalCluster
  let router: ReturnType<typeof openRouter>

  beforeAll(async () => {
    cluster = await startLocalCluster({ shards: 2, databasePerShard: true })
    router = openRouter(cluster)
    const [, tables] = /connection\.script\(`(.*?)`\)/s.exec(blocks[0] as string) ?? []
    for (const shard of router.fleet.shards) {
      await using connection = await shard.connect()
      await connection.script(tables as string)
    }
  }, 180_000)

  afterAll(async () => {
    await router?.close()
    await cluster?.stop()
  })

  it('has its rows', () => expect(rows.length).toBeGreaterThan(15))

  it.each(rows)('$outcome: $code', async ({ code, outcome }) => {
    expect(await outcomeOf(code as string)).toBe(outcome)
  })

  /** The kind of the plan, or the code of the refusal. `db` may not fan out, `fanOut` may. */
  async function outcomeOf(code: string): Promise<string> {
    const text = code.replace(/sql'([^']*)'/, 'raw("$1")').replace(' as never', '')
    const build = new Function('db', 'fanOut', 'raw', 'f', 'g', 'u', `return ${text}`)
    const query = build(router.db, router.fanOut(), CompiledQuery.raw, 'nordlicht', 'fjord', '7') as Explainable
    try {
      return (await router.explain(query, { fanOut: text.startsWith('fanOut') })).kind
    } catch (error) {
      if (error instanceof ShardwrightError) return error.code
      throw error
    }
  }
})

describe('docs/architecture.md', () => {
  it('shows what `ls` shows', () => {
    const listings = [...readFileSync(join(root, 'docs/architecture.md'), 'utf8').matchAll(/\$ ls (\S+)\n\s+(.+)\n/g)]
    expect(listings).toHaveLength(2)
    for (const [, folder, files] of listings) {
      expect(files?.split(/\s+/)).toEqual(readdirSync(join(root, folder as string)).sort())
    }
  })
})

describe('links', () => {
  it.each(['README.md', 'docs/architecture.md'])('of %s lead to files', (page) => {
    const folder = join(root, page, '..')
    const links = [...readFileSync(join(root, page), 'utf8').matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)]
    expect(links.length).toBeGreaterThan(5)
    expect(links.map(([, target]) => target).filter((target) => !existsSync(join(folder, target as string)))).toEqual(
      [],
    )
  })
})
