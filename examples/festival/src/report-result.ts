import type { DemoResult } from './demo.ts'
import type { Output } from './show/progress.ts'

/** Prints the last lines, and gives the exit status. */
export function reportResult({ queries, servers, problems }: DemoResult, output: Output): 0 | 1 {
  for (const problem of problems) output.write(`demo: not as in one PostgreSQL: ${problem}\n`)
  if (problems.length > 0) return 1
  output.write(`demo: ok (${queries} queries, ${servers}, every result equal to one PostgreSQL)\n`)
  return 0
}
