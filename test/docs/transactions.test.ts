import { execFile } from 'node:child_process'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { transactionErrorCodes } from '@shardwright/shard-router'
import { expect, test } from 'vitest'

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
  const folder = join(root, 'node_modules/.cache/transactions')
  await mkdir(folder, { recursive: true })
  try {
    for (const [index, block] of blocks.entries()) {
      const schema = block.includes('const schema') ? '' : 'const schema = given\nexport { schema }\n'
      await writeFile(join(folder, `block-${index}.ts`), prelude + schema + block)
    }
    const compilerOptions = {
      composite: false,
      noEmit: true,
      allowImportingTsExtensions: true,
      customConditions: ['shardwright-source'],
      typeRoots: [join(root, 'node_modules/@types')],
    }
    const config = { extends: join(root, 'tsconfig.base.json'), compilerOptions, include: ['*.ts'] }
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config))
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
    const compiler = join(root, 'node_modules/typescript/bin/tsc')
    const compiled = await promisify(execFile)(process.execPath, [compiler, '-p', folder]).catch((error) => error)
    expect(compiled.stdout).toBe('')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test('it names the errors that a caller has to know', async () => {
  const text = await page()
  const own = ['MOVE_KEY_UNSUITABLE', 'INVALID_TRANSACTION_OPTIONS', 'TRANSACTION_ENDED', 'TRANSACTION_FAILED']
  const codes = Object.keys(transactionErrorCodes).filter((code) => !own.includes(code))
  expect(codes.filter((code) => !text.includes(code))).toEqual([])
})
