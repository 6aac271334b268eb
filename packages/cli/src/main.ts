#!/usr/bin/env node
import { processScreen } from './output/screen.ts'
import { runProgram } from './run-program.ts'

process.exitCode = await runProgram(process.argv.slice(2), processScreen())
