#!/usr/bin/env node
import { exitCode } from './output/exit-code.ts'
import { nodeRefusal } from './run/node-version.ts'

const refusal = nodeRefusal(process.versions.node)
if (refusal !== undefined) {
  console.error(refusal)
  process.exitCode = exitCode.error
} else {
  // Only now: what is loaded here may use what an older Node does not have.
  const { processScreen } = await import('./output/screen.ts')
  const { runProgram } = await import('./run-program.ts')
  process.exitCode = await runProgram(process.argv.slice(2), processScreen())
}
