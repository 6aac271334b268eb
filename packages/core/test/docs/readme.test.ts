import { execFile } from 'node:child_process'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const root = join(import.meta.dirname, '../../../..')
const folder = join(root, 'node_modules/.cache/core-readme')

it('the code of the README compiles against the sources', async () => {
  const readme = await readFile(join(root, 'packages/core/README.md'), 'utf8')
  const blocks = [...readme.matchAll(/```ts\n(.*?)```/gs)].map((match) => match[1]!)
  expect(blocks.length).toBeGreaterThan(0)
  await mkdir(folder, { recursive: true })
  try {
    const prelude = "import type { Kysely } from 'kysely'\ndeclare const db: Kysely<Database>\n"
    for (const [index, block] of blocks.entries()) await writeFile(join(folder, `block-${index}.ts`), prelude + block)
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
    const compiler = join(root, 'node_modules/typescript/bin/tsc')
    const { stdout } = await promisify(execFile)(process.execPath, [compiler, '-p', folder]).catch((error) => error)
    expect(stdout).toBe('')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
