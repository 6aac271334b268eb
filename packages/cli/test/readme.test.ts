import { execFile } from 'node:child_process'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { cliErrorCodes, exitCode } from '../src/index.ts'
import { AppFolder } from './support/app.ts'

const run = promisify(execFile)
const here = import.meta.dirname
const readme = () => readFile(path.join(here, '../README.md'), 'utf8')

it('the configuration of the README compiles inside the application that init writes, and that application itself', async () => {
  const app = await AppFolder.make()
  try {
    await app.call(['init', '--yes', '--name', 'readme'])
    const [block] = [...(await readme()).matchAll(/```ts\n(.*?)```/gs)].map((match) => match[1] ?? '')
    await writeFile(path.join(app.path, 'readme.config.ts'), block ?? '')
    const root = path.join(here, '../../..')
    await writeFile(
      path.join(app.path, 'check.json'),
      JSON.stringify({
        extends: './tsconfig.json',
        compilerOptions: {
          customConditions: ['shardwright-source'],
          preserveSymlinks: false,
          typeRoots: [path.join(root, 'node_modules/@types')],
        },
        include: ['src', 'test', 'migrations', '*.ts', path.join(root, 'packages/shard-router/src/**/*.d.ts')],
      }),
    )
    const compiled = await run(process.execPath, [
      path.join(root, 'node_modules/typescript/bin/tsc'),
      '-p',
      path.join(app.path, 'check.json'),
    ]).catch((error: { stdout: string }) => error)
    // Only what stands in the application: the packages have checks of their own.
    const own = compiled.stdout
      .split('\n')
      .filter((line) => /^(src|test|migrations|[\w.-]+\.ts)/.test(line) && !line.includes('../'))
    expect(own).toEqual([])
  } finally {
    await app.remove()
  }
})

it('the operations page tells every exit code', async () => {
  const operations = await readFile(path.join(here, '../../../docs/operations.md'), 'utf8')
  const told = [...operations.matchAll(/^\| (\d+) +\|/gm)].map((match) => Number(match[1]))
  expect(told).toEqual(Object.values(exitCode))
})

it('every error code that is thrown is in the catalogue, and every one there is thrown', async () => {
  const source = path.join(here, '../src')
  const files = (await readdir(source, { recursive: true })).filter(
    (file) => file.endsWith('.ts') && !file.includes('error-codes'),
  )
  const texts = await Promise.all(files.map((file) => readFile(path.join(source, file), 'utf8')))
  const thrown = new Set(texts.flatMap((text) => [...text.matchAll(/code: '([A-Z_]+)'/g)].map((match) => match[1])))
  expect([...thrown].toSorted()).toEqual(Object.keys(cliErrorCodes).toSorted())
})
