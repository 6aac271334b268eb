// The code of package READMEs and of the operations page compiles.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { compile } from './support/compile.ts'

const root = join(import.meta.dirname, '../..')
const pages = ['packages/monitor/README.md', 'packages/view-manager/README.md', 'docs/operations.md']

/** What the pages take for given. */
const prelude = `
import { defineSchema, defineTopology, type Fleet, reference, type ShardKey, sharded } from '@shardwright/core'
import { createShardRouter } from '@shardwright/shard-router'
interface Database {
  wallets: { festival_id: ShardKey<string>; id: string; balance: string }
  transactions: { user_id: ShardKey<string>; id: string; category: string; amount: string; created_at: Date }
  spending: { user_id: ShardKey<string>; category: string; total: string }
  orders: { festival_id: ShardKey<string>; id: string; festival_name: string }
  festivals: { id: string; name: string }
}
const schema = defineSchema<Database>()({
  tables: {
    wallets: sharded('festival_id'), transactions: sharded('user_id'), spending: sharded('user_id'),
    orders: sharded('festival_id'), festivals: reference(),
  },
})
const topology = defineTopology({ hash: 'postgres', shards: [{ id: 'eu-1', primary: 'postgres://app@localhost/app' }] })
`
const withRouter = 'const router = createShardRouter({ schema, topology })\n'

it('in READMEs of packages and on the operations page', async () => {
  const files = pages.map((page, index) => {
    const code = [...readFileSync(join(root, page), 'utf8').matchAll(/```ts\n(.*?)```/gs)]
      .map(([, block]) => block)
      .join('\n')
    const router = /const router =/.test(code) ? '' : withRouter
    return [`page-${index}.ts`, `// ${page}\n${prelude}${router}${code}\nexport {}\n`] as const
  })
  expect(await compile('package-pages', Object.fromEntries(files))).toBe('')
}, 120_000)
