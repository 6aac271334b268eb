import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { transactionErrorCodes } from '@shardwright/shard-router'
import { expect, test } from 'vitest'
import { compile } from './support/compile.ts'

const root = join(import.meta.dirname, '../..')
const page = () => readFile(join(root, 'docs/transactions.md'), 'utf8')

const prelude = `import { defineSchema, lookup, sharded, type ShardKey } from '@shardwright/core'
import { backfillLookups, createShardRouter, repairLookups, verifyLookups } from '@shardwright/shard-router'
interface Database {
  users: { user_id: ShardKey<number>; email: string; name: string }
}
const given = defineSchema<Database>()({ tables: { users: sharded('user_id') } })
const router = createShardRouter({ schema: given, topology: { hash: 'postgres', shards: [] } })
export { backfillLookups, defineSchema, lookup, repairLookups, router, sharded, verifyLookups }
`

test('the examples of docs/transactions.md compile', { timeout: 120_000 }, async () => {
  const blocks = [...(await page()).matchAll(/```ts\n(.*?)```/gs)].map((match) => match[1] as string)
  expect(blocks.length).toBeGreaterThan(2)
  const files = blocks.map((block, index) => {
    const schema = block.includes('const schema') ? '' : 'const schema = given\nexport { schema }\n'
    return [`block-${index}.ts`, prelude + schema + block] as const
  })
  expect(await compile('transactions', Object.fromEntries(files))).toBe('')
})

test('it names the errors that a caller has to know', async () => {
  const text = await page()
  const own = ['MOVE_KEY_UNSUITABLE', 'INVALID_TRANSACTION_OPTIONS', 'TRANSACTION_ENDED', 'TRANSACTION_FAILED']
  const codes = Object.keys(transactionErrorCodes).filter((code) => !own.includes(code))
  expect(codes.filter((code) => !text.includes(code))).toEqual([])
})
