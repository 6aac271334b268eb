import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { mutants } from './mutants/mutants.ts'

// Node's own loader replaces the text of a source file; vitest's would not see the hook.
const main = fileURLToPath(new URL('./mutants/main.ts', import.meta.url))

test('every seeded mistake of planner and merge is caught, and the router itself is not', {
  timeout: 600_000,
}, async () => {
  const run = promisify(execFile)(process.execPath, ['--conditions=shardwright-source', main])
  const { stdout } = await run.catch((error: { stdout: string; stderr: string }) => {
    throw new Error(`${error.stdout}\n${error.stderr}`)
  })
  process.stdout.write(stdout)
  expect(stdout).toContain(`${mutants.length} mutants caught, 0 alive, 0 false alarms`)
})
