// The demo's own check, on little data: it has to notice a wrong result, a shard left out and a row changed.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createShardRouter, type ShardRouter } from '@shardwright/shard-router'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answer, checkQuery } from '../../examples/festival/src/check/check-query.ts'
import { compareContents } from '../../examples/festival/src/check/compare-contents.ts'
import { compareRows } from '../../examples/festival/src/check/compare-rows.ts'
import { readContents } from '../../examples/festival/src/check/table-contents.ts'
import { checkPlatform, preparePlatform } from '../../examples/festival/src/demo.ts'
import { type Platform, startPlatform } from '../../examples/festival/src/platform.ts'
import { platformQueries } from '../../examples/festival/src/queries/queries.ts'
import { reportResult } from '../../examples/festival/src/report-result.ts'
import { type FestivalSchema, schema } from '../../examples/festival/src/schema/schema.ts'
import { Screen } from '../../examples/festival/src/show/screen.ts'

const small = { transactions: 3_000, festivals: 24, seed: 3, databasePerShard: true }
const silent = { write: () => undefined }
let platform: Platform

beforeAll(async () => {
  platform = await startPlatform(small)
  await preparePlatform(platform, new Screen(silent))
}, 300_000)

afterAll(async () => {
  await platform?.[Symbol.asyncDispose]()
}, 60_000)

function query(title: RegExp) {
  const found = platformQueries(platform).find((candidate) => title.test(candidate.title))
  if (!found) throw new Error(`no query ${title}`)
  return found
}

describe('the check of one result', () => {
  it('accepts what the shards say', async () => {
    const checked = await checkQuery(query(/top 10 stands/), platform)
    expect(checked.difference).toBeUndefined()
    expect(checked.rows).toHaveLength(10)
    expect(checked.statements).toHaveLength(1)
  })

  it('notices one digit', async () => {
    const altered: Answer = async (asked, { doors }) => {
      const rows = (await asked.run(doors)) as Record<string, unknown>[]
      return rows.map((row, index) => (index === 7 ? { ...row, revenue: `${row.revenue}`.replace(/.$/, '') } : row))
    }
    const { difference } = await checkQuery(query(/top 10 stands/), platform, altered)
    expect(difference).toMatch(/^row 8 is .* instead of /)
  })

  it('notices a row that is missing, a row too many and two rows in another order', async () => {
    const { rows } = await checkQuery(query(/top 10 stands/), platform)
    expect(compareRows(rows.slice(1), rows, { ordered: true })).toBe('9 rows instead of 10')
    expect(compareRows([...rows, ...rows.slice(0, 1)], rows, { ordered: true })).toBe('11 rows instead of 10')
    expect(compareRows(rows.toReversed(), rows, { ordered: true })).toMatch(/^row 1 is/)
    expect(compareRows(rows.toReversed(), rows, { ordered: false })).toBeUndefined()
    expect(compareRows([{ n: '1' }], [{ n: 1n }], { ordered: true })).toBeDefined()
    expect(compareRows([{ n: null }], [{ n: '' }], { ordered: true })).toBeDefined()
  })
})

describe('a shard that is left out', () => {
  let three: ShardRouter<FestivalSchema>

  beforeAll(() => {
    const { shards } = platform.router.topology
    three = createShardRouter({
      schema,
      topology: {
        id: 'festival',
        hash: 'postgres',
        shards: shards.slice(0, 3).map(({ id, primary }) => ({ id, primary: primary.url })),
      },
    })
  })

  afterAll(async () => {
    await three?.close()
  })

  it.each([/top 10 stands/, /Revenue per day/, /Distinct visitors/, /average order/])(
    'is noticed in %s',
    async (title) => {
      const answer: Answer = (asked) => asked.run({ ...platform.doors, fanOut: three.fanOut() })
      const { difference } = await checkQuery(query(title), platform, answer)
      expect(difference).toBeDefined()
      expect((await checkQuery(query(title), platform)).difference).toBeUndefined()
    },
  )

  it('is noticed in the tables', async () => {
    const contents = await readContents(platform.router.fleet)
    const [one] = (await readContents(platform.oneFleet)).values()
    expect(compareContents(contents, one)).toEqual([])
    const without = new Map([...contents].slice(0, 3))
    expect(compareContents(without, one).join('\n')).toMatch(/transactions: \d+ rows instead of \d+/)
  })
})

describe('the whole demo', () => {
  it('is ok when all is well, and names what is not', async () => {
    const lines: string[] = []
    const output = { write: (text: string) => lines.push(text) }
    const result = await checkPlatform(platform, new Screen(output))
    expect(result.problems).toEqual([])
    expect(reportResult(result, output)).toBe(0)
    expect(lines.at(-1)).toBe(`demo: ok (${result.queries} queries, 4 shards, every result equal to one PostgreSQL)\n`)
    expect(lines.join('')).toMatch(/plan {2}fan-out: eu-1, eu-2, us-1, us-2/)

    // One cent more in one row of one shard.
    const wallet = await platform.router.onShard('us-1').selectFrom('wallets').selectAll().executeTakeFirstOrThrow()
    await platform.router.db
      .updateTable('wallets')
      .set((eb) => ({ balance: eb('balance', '+', '0.01') }))
      .where('festival_id', '=', wallet.festival_id)
      .where('id', '=', wallet.id)
      .execute()
    const [one] = (await readContents(platform.oneFleet)).values()
    const problems = compareContents(await readContents(platform.router.fleet), one)
    expect(problems).toEqual([expect.stringMatching(/^wallets: \d+ rows as in one PostgreSQL, but not the same ones$/)])
    expect(reportResult({ queries: 12, servers: '4 shards', problems }, output)).toBe(1)
    expect(lines.at(-1)).not.toContain('demo: ok')
  }, 180_000)

  it('ends with its last line and status 0 as a program', async () => {
    const main = fileURLToPath(new URL('../../examples/festival/src/main.ts', import.meta.url))
    const options = ['--engine', 'hash', '--transactions', '1000', '--festivals', '12', '--database-per-shard']
    const node = ['--conditions=shardwright-source', main, ...options]
    const { stdout } = await promisify(execFile)(process.execPath, node, { maxBuffer: 1 << 24 })
    expect(stdout.trimEnd().split('\n').at(-1)).toBe(
      'demo: ok (12 queries, 4 shards, every result equal to one PostgreSQL)',
    )
    expect(stdout).toMatch(/loading: 100 %/)
  }, 180_000)

  it('ends with another status when an option is wrong', async () => {
    const main = fileURLToPath(new URL('../../examples/festival/src/main.ts', import.meta.url))
    const run = promisify(execFile)(process.execPath, [
      '--conditions=shardwright-source',
      main,
      '--transactions',
      'many',
    ])
    await expect(run).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining("not 'many'") })
  })
})
