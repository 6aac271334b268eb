import { execFile } from 'node:child_process'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { partitionManagerErrorCodes } from '../src/index.ts'
import { connect, fleetOfUrls, partitionsOf, useServer } from './support/database.ts'

const root = join(import.meta.dirname, '../../..')
const folder = join(root, 'node_modules/.cache/partition-manager-readme')
/** Node strips no types under node_modules. */
const runFolder = join(import.meta.dirname, '.readme')
const run = promisify(execFile)
const server = useServer({ max_connections: 60 })

it('the code of the README compiles against the sources, and its first example works', async () => {
  const readme = await readFile(join(root, 'packages/partition-manager/README.md'), 'utf8')
  const blocks = [...readme.matchAll(/```ts\n(.*?)```/gs)].map((match) => match[1] as string)
  expect(blocks).toHaveLength(2)
  await mkdir(folder, { recursive: true })
  try {
    for (const [index, block] of blocks.entries()) await writeFile(join(folder, `block-${index}.ts`), block)
    const config = {
      extends: join(root, 'tsconfig.base.json'),
      compilerOptions: {
        composite: false,
        noEmit: true,
        allowImportingTsExtensions: true,
        customConditions: ['shardwright-source'],
        typeRoots: [join(root, 'node_modules/@types')],
      },
      include: ['*.ts'],
    }
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config))
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
    const compiler = join(root, 'node_modules/typescript/bin/tsc')
    const compiled = await run(process.execPath, [compiler, '-p', folder]).catch((error) => error)
    expect(compiled.stdout).toBe('')

    await mkdir(runFolder, { recursive: true })
    await writeFile(join(runFolder, 'example.ts'), blocks[0] as string)
    const [url] = (await server.databases()) as [string]
    await using connection = await connect(fleetOfUrls([url]))
    await connection.script(
      'create table transactions (id text, festival_id text, created_at timestamptz not null, amount numeric) partition by range (created_at)',
    )
    const { stdout } = await run(process.execPath, ['--conditions=shardwright-source', join(runFolder, 'example.ts')], {
      env: { ...process.env, SHARD_1_URL: url },
    })
    expect(stdout).toContain('shard-1 public.transactions: done (4 partitions, 3 ahead, 0 rows in DEFAULT)')
    expect(await partitionsOf(connection, 'transactions')).toHaveLength(4)
  } finally {
    await rm(folder, { recursive: true, force: true })
    await rm(runFolder, { recursive: true, force: true })
  }
})

it('every error code is used, and has a meaning and a remedy', async () => {
  const { stdout } = await run('grep', [
    '-rhoE',
    "'(PARTITION|CONVERT)_[A-Z_]+'",
    join(root, 'packages/partition-manager/src'),
  ])
  const used = new Set(stdout.split('\n').map((line) => line.replaceAll("'", '')))
  for (const [code, { meaning, remedy }] of Object.entries(partitionManagerErrorCodes)) {
    expect([code, used.has(code), meaning.endsWith('.'), remedy.length > 10]).toEqual([code, true, true, true])
  }
})
