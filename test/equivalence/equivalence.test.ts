import { expect, test } from 'vitest'
import { run } from './run/run.ts'

// A fixed seed; any other: npm run test:equivalence -- --seed S --cases N
const seed = 'vitest'
const cases = 480

test(`${cases} generated statements get the answer of one PostgreSQL`, { timeout: 300_000 }, async () => {
  const reports: string[] = []
  const counts = await run({ seed, cases, maxFailures: 3, print: (text) => reports.push(text) })
  for (const line of counts.lines()) process.stdout.write(`${line}\n`)
  expect(reports.join('\n')).toBe('')
  expect(counts.cases).toBe(cases)
  // What the run must have shown to prove anything.
  expect(counts.merged).toBeGreaterThan(cases / 3)
  expect(counts.spread / counts.merged).toBeGreaterThan(0.6)
  expect(counts.refusals / counts.cases).toBeLessThan(0.1)
  expect(counts.bothFailed / counts.cases).toBeLessThan(0.05)
  expect(counts.shortfalls()).toEqual([])
})
