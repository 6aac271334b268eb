import { execFile } from 'node:child_process'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import type { LocalCluster } from '@shardwright/local-cluster'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { migratorErrorCodes } from '../src/index.ts'
import { lintRules } from '../src/lint/lint-rules.ts'
import { freshShards, startServer } from './support/fleet.ts'

const run = promisify(execFile)
const here = import.meta.dirname
const readme = () => readFile(path.join(here, '../README.md'), 'utf8')

let cluster: LocalCluster
beforeAll(async () => {
  cluster = await startServer()
})
afterAll(() => cluster?.stop())

it('the example of the README compiles and works', async () => {
  const [block] = [...(await readme()).matchAll(/```ts\n(.*?)```/gs)].map((match) => match[1] ?? '')
  const example = path.join(here, 'readme-example.ts')
  const config = path.join(here, 'readme-tsconfig.json')
  try {
    await writeFile(example, block ?? '')
    await writeFile(
      config,
      JSON.stringify({
        extends: '../../../tsconfig.base.json',
        compilerOptions: {
          composite: false,
          noEmit: true,
          allowImportingTsExtensions: true,
          customConditions: ['shardwright-source'],
        },
        files: ['readme-example.ts'],
      }),
    )
    const compiler = path.join(here, '../../../node_modules/typescript/bin/tsc')
    const compiled = await run(process.execPath, [compiler, '-p', config]).catch((error: { stdout: string }) => error)
    expect(compiled.stdout).toBe('')
    const [shard] = await freshShards(cluster, 1)
    const ran = await run(process.execPath, ['--conditions=shardwright-source', example], {
      env: { ...process.env, SHARD_1_URL: shard?.url },
    })
    expect(ran.stdout).toBe('complete\n')
  } finally {
    await rm(example, { force: true })
    await rm(config, { force: true })
  }
})

it('the README names every lint rule, and only those', async () => {
  const named = [...(await readme()).matchAll(/^\| `([a-z-]+)` +\|/gm)].map((match) => match[1])
  expect(named.toSorted()).toEqual(lintRules.map((rule) => rule.name).toSorted())
})

it('every error code that is thrown is in the catalogue, and every one there is thrown', async () => {
  const source = path.join(here, '../src')
  const files = (await readdir(source, { recursive: true })).filter(
    (file) => file.endsWith('.ts') && !file.includes('error-codes'),
  )
  const texts = await Promise.all(files.map((file) => readFile(path.join(source, file), 'utf8')))
  const thrown = new Set(
    texts.flatMap((text) => [...text.matchAll(/code: '([A-Z]+_[A-Z_]+)'/g)].map((match) => match[1])),
  )
  expect([...thrown].toSorted()).toEqual(Object.keys(migratorErrorCodes).toSorted())
})
