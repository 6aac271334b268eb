import { expect, test } from 'vitest'
import { run } from './transactions.ts'

// Every point of the protocol, by every kind of fault, once. Longer: npm run test:faults -- transactions --rounds 20
test('money survives the end of processes, servers and sockets at every step of the commit protocol', async () => {
  const lines: string[] = []
  const held = await run({ seed: 20261121, processes: 2, print: (line) => void lines.push(line) })
  expect(held, lines.join('\n')).toBe(true)
}, 300_000)
