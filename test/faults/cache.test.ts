import { expect, test } from 'vitest'
import { run } from './cache.ts'

// Two of the faults, in two processes, once. All of them: npm run test:faults -- cache --rounds 20
test('no read gives an older value than was acknowledged before it began, and without leases some do', async () => {
  const lines: string[] = []
  const held = await run({ seed: 20261121, processes: 2, faults: 2, print: (line) => void lines.push(line) })
  expect(held, lines.join('\n')).toBe(true)
}, 300_000)
