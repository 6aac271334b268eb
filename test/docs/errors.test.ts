import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))

describe('docs/errors.md', () => {
  it('is what the catalogues say', async () => {
    const script = `${root}scripts/generate-error-docs.mjs`
    await promisify(execFile)(process.execPath, ['--conditions=shardwright-source', script, '--check'])
  })

  it('has every code that is thrown', () => {
    const listed = new Set([...read('docs/errors.md').matchAll(/^\| `(\w+)` +\|/gm)].map(([, code]) => code))
    const thrown = sources().flatMap((path) =>
      [...withoutDocstrings(read(path)).matchAll(/\bcode: '([A-Z][A-Z_]+)'|\brefuse\(\s*'([A-Z][A-Z_]+)'/g)].map(
        (found) => ({
          code: found[1] ?? found[2],
          path,
        }),
      ),
    )
    expect(thrown.length).toBeGreaterThan(100)
    expect(thrown.filter(({ code }) => !listed.has(code))).toEqual([])
  })
})

function read(path: string): string {
  return readFileSync(`${root}${path}`, 'utf8')
}

function withoutDocstrings(text: string): string {
  return text.replaceAll(/^\s*\*.*$/gm, '')
}

function sources(): string[] {
  return readdirSync(`${root}packages`).flatMap((name) =>
    readdirSync(`${root}packages/${name}/src`, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => `packages/${name}/src/${file}`),
  )
}
