import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { coreErrorCodes, redactText, redactUrl } from '@shardwright/core'
import { describe, expect, it } from 'vitest'

const sources = join(import.meta.dirname, '../../src')
const texts = readdirSync(sources, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !path.endsWith('core-error-codes.ts'))
  .map((path) => readFileSync(join(sources, path), 'utf8'))

describe('the catalogue of codes', () => {
  const thrown = new Set(texts.flatMap((text) => [...text.matchAll(/code: '([A-Z_]+)'/g)].map((match) => match[1]!)))

  it('has every code that is thrown, and throws every code that it has', () => {
    expect([...thrown].sort()).toEqual(Object.keys(coreErrorCodes).sort())
  })

  it('has a meaning and a remedy for each', () => {
    for (const { meaning, remedy } of Object.values(coreErrorCodes)) {
      expect(meaning).toMatch(/\.$/)
      expect(remedy).toMatch(/\.$/)
    }
  })
})

describe('redaction', () => {
  it.each([
    ['postgres://app:s3cret@db1:5432/festival', 'postgres://db1:5432/festival'],
    ['postgres://app:s3cret@db1/festival?password=s3cret&sslmode=require', 'postgres://db1/festival'],
    ['not a url s3cret', '(not a URL)'],
    ['postgres:///festival?host=/tmp&password=s3cret', 'postgres://(no host)'],
  ])('redactUrl %s', (url, shown) => {
    expect(redactUrl(url)).toBe(shown)
  })

  it.each([
    'cannot reach postgres://app:s3cret@db1/x',
    'postgres://app:s3cret@db1/x, postgres://app:s3cret@db2/x',
    'host=db1 password=s3cret dbname=x',
    'postgres://db1/x?user=a&password=s3cret',
    'postgres://app:a@s3cret@db1/x',
  ])('redactText %s', (text) => {
    expect(redactText(text)).not.toContain('s3cret')
    expect(redactText(text)).toContain('db1')
  })
})
