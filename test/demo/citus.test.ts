import { citusAvailability } from '@shardwright/local-cluster'
import { expect, test } from 'vitest'
import { runDemo } from '../../examples/festival/src/demo.ts'

const { available } = await citusAvailability()

test.skipIf(!available)('the festival example on Citus', { timeout: 180_000 }, async () => {
  const lines: string[] = []
  const output = { write: (text: string) => lines.push(text) }
  const result = await runDemo({ engine: 'citus', transactions: 600, festivals: 12, seed: 3 }, output)
  expect(result).toEqual({ queries: 12, servers: expect.stringMatching(/^Citus, \d+ workers$/), problems: [] })
  expect(lines.join('')).toMatch(/coordinator {2}transactions: \d+ partitions/)
})
