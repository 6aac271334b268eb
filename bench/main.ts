// npm run bench [-- --json] [name ...]: runs the benches whose file or figure names contain one of the words.
import { readdir, readFile } from 'node:fs/promises'
import type { Bench, BenchResult } from './support/bench-result.ts'

const words = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
const asJson = process.argv.includes('--json')

const folder = new URL('./', import.meta.url)
const files = (await readdir(folder))
  .filter((file) => file.endsWith('.ts') && !file.startsWith('.') && file !== 'main.ts')
  .toSorted()
const results: BenchResult[] = []
let failed = false

for (const file of files) {
  const url = new URL(file, folder)
  // Workers and helpers lie here too; to import one may already run it.
  if (!/^export const bench\b/m.test(await readFile(url, 'utf8'))) continue
  const { bench } = (await import(url.href)) as { bench: Bench }
  if (words.length > 0 && !words.some((word) => bench.name.includes(word) || file.includes(word))) continue
  process.stderr.write(`${bench.name} ...\n`)
  try {
    results.push(...[await bench.run()].flat())
  } catch (error) {
    failed = true
    process.stderr.write(
      `${bench.name} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    )
  }
}

if (asJson) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`)
else printTable(results)
if (failed) process.exitCode = 1

function printTable(rows: readonly BenchResult[]): void {
  const width = Math.max(4, ...rows.map((row) => row.name.length))
  for (const { name, value, unit, against, samples } of rows) {
    process.stdout.write(
      `${name.padEnd(width)}  ${value.toFixed(2).padStart(8)} ${unit.padEnd(4)}  against ${against} (${samples} samples)\n`,
    )
  }
}
