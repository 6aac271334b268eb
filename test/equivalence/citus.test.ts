import { citusAvailability } from '@shardwright/local-cluster'
import { expect, test } from 'vitest'
import { run } from './run/run.ts'

// A fixed seed; any other: npm run test:equivalence -- --engine citus --seed S --cases N
const seed = 'vitest'
const cases = 40
const { available } = await citusAvailability()

test.skipIf(!available)(`${cases} generated statements on Citus`, { timeout: 300_000 }, async () => {
  const reports: string[] = []
  const counts = await run({ engine: 'citus', seed, cases, maxFailures: 3, print: (text) => reports.push(text) })
  expect(reports.join('\n')).toBe('')
  expect(counts.cases).toBe(cases)
  // What the run must have shown to prove anything.
  expect(counts.equal).toBeGreaterThan(cases / 2)
  expect(counts.empty / counts.equal).toBeLessThan(0.6)
})
