import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startLocalCluster } from '@shardwright/local-cluster'
import { routerErrorCodes } from '@shardwright/shard-router'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
const run = promisify(execFile)

const ddl = `
  create table wallets (festival_id text not null, id int not null, balance numeric(12,2) not null, note text, primary key (festival_id, id));
  create table transactions (festival_id text not null, id int not null, wallet_id int not null, amount int not null, stand text not null, primary key (festival_id, id));
  create table tickets (user_id int not null, id int not null, festival text not null, primary key (user_id, id));
  create table festivals (id text primary key, name text not null);`

const data = `
await router.db.insertInto('festivals').values([{ id: 'roskilde', name: 'Roskilde' }, { id: 'wacken', name: 'Wacken' }]).execute()
await router.db.insertInto('wallets').values([
  { festival_id: 'roskilde', id: 1, balance: '10.00', note: null },
  { festival_id: 'wacken', id: 1, balance: '20.00', note: 'a' },
  { festival_id: 'tomorrow', id: 1, balance: '30.00', note: 'b' },
]).execute()
await router.db.insertInto('transactions').values([
  { festival_id: 'roskilde', id: 1, wallet_id: 1, amount: 10, stand: 'north' },
  { festival_id: 'roskilde', id: 2, wallet_id: 1, amount: 5, stand: 'south' },
  { festival_id: 'wacken', id: 1, wallet_id: 1, amount: 20, stand: 'north' },
  { festival_id: 'tomorrow', id: 1, wallet_id: 1, amount: 20, stand: 'south' },
]).execute()
await router.db.insertInto('tickets').values([
  { user_id: 7, id: 1, festival: 'roskilde' }, { user_id: 7, id: 2, festival: 'wacken' }, { user_id: 8, id: 1, festival: 'tomorrow' },
]).execute()
`

test('the examples of docs/routing.md compile and run as they say', { timeout: 300_000 }, async () => {
  const page = await readFile(join(root, 'docs/routing.md'), 'utf8')
  const [setup, ...examples] = [...page.matchAll(/```ts\n(.*?)```/gs)].map((match) => match[1] as string)
  expect(examples.length).toBeGreaterThan(3)
  await using cluster = await startLocalCluster({ shards: 3, databasePerShard: true })
  for (const shard of cluster.fleet().shards) {
    await using connection = await shard.connect()
    await connection.script(ddl)
  }
  // Not under node_modules: Node strips no types there.
  const folder = await mkdtemp(join(import.meta.dirname, '.examples-'))
  try {
    const topology =
      "const topology = { hash: 'postgres', shards: JSON.parse(process.env['SHARDS'] ?? '[]') } as const\n"
    await writeFile(join(folder, 'setup.ts'), topology + setup)
    const prelude = "import assert from 'node:assert/strict'\nimport { router } from './setup.ts'\n"
    await writeFile(join(folder, 'data.ts'), prelude.replace(/^.*assert.*\n/, '') + data)
    for (const [index, example] of examples.entries())
      await writeFile(join(folder, `example-${index}.ts`), prelude + example)
    const modules = ['data', ...examples.map((_, index) => `example-${index}`)]
    await writeFile(
      join(folder, 'main.ts'),
      `import { router } from './setup.ts'\n${modules.map((name) => `await import('./${name}.ts')\n`).join('')}await router.close()\n`,
    )
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config))
    const failed = (error: { stdout: string; stderr: string }) => Promise.reject(new Error(error.stdout + error.stderr))
    await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder]).catch(failed)
    const env = { ...process.env, SHARDS: JSON.stringify(cluster.topologyInput().shards) }
    const { stdout } = await run(process.execPath, ['--conditions=shardwright-source', join(folder, 'main.ts')], {
      env,
    }).catch(failed)
    expect(stdout).toContain('fan-out')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test('docs/routing.md gives the reason of each refusal', async () => {
  const page = await readFile(join(root, 'docs/routing.md'), 'utf8')
  // Nothing raises this one.
  const codes = Object.keys(routerErrorCodes)
  expect(codes.filter((code) => !page.includes(`\`${code}\``))).toEqual([])
})

const config = {
  extends: join(root, 'tsconfig.base.json'),
  compilerOptions: {
    composite: false,
    declaration: false,
    declarationMap: false,
    noEmit: true,
    allowImportingTsExtensions: true,
    customConditions: ['shardwright-source'],
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
  },
  include: ['*.ts'],
}
