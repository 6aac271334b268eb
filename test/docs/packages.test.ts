// The code of package READMEs and of the operations page compiles.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

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
  const folder = join(root, 'node_modules/.cache/package-pages')
  await mkdir(folder, { recursive: true })
  try {
    for (const [index, page] of pages.entries()) {
      const blocks = [...readFileSync(join(root, page), 'utf8').matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code)
      const code = blocks.join('\n')
      const router = /const router =/.test(code) ? '' : withRouter
      await writeFile(join(folder, `page-${index}.ts`), `// ${page}\n${prelude}${router}${code}\nexport {}\n`)
    }
    const compilerOptions = {
      composite: false,
      noEmit: true,
      allowImportingTsExtensions: true,
      noUnusedLocals: false,
      customConditions: ['shardwright-source'],
      typeRoots: [join(root, 'node_modules/@types')],
    }
    await writeFile(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ extends: join(root, 'tsconfig.base.json'), compilerOptions, include: ['*.ts'] }),
    )
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
    const compiler = join(root, 'node_modules/typescript/bin/tsc')
    const compiled = await promisify(execFile)(process.execPath, [compiler, '-p', folder]).catch((error) => error)
    expect(compiled.stdout).toBe('')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}, 120_000)
