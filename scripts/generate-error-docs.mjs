// Makes docs/errors.md from the catalogues that the packages export. Run on the sources:
//   node --conditions=shardwright-source scripts/generate-error-docs.mjs [--check]
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = new URL('../', import.meta.url)
const target = new URL('docs/errors.md', root)

/** The text of docs/errors.md: every catalogue of every package. */
export async function errorDocs() {
  const sections = []
  for (const name of readdirSync(new URL('packages/', root)).sort()) {
    const index = new URL(`packages/${name}/src/index.ts`, root)
    if (existsSync(index)) sections.push(...sectionOf(name, await import(index.href)))
  }
  return `${[heading, ...sections].join('\n').trimEnd()}\n`
}

const heading = `<!-- Made by scripts/generate-error-docs.mjs from the packages' catalogues: change those, not this file. -->

# Errors

Every error is a \`ShardwrightError\`: \`code\` is stable, \`message\` says what was asked and why it is not possible, \`hint\`
says what to do, \`details\` has names for programs, \`cause\` what lay beneath. Errors of PostgreSQL keep their SQLSTATE.
No message carries a password or a parameter value.

\`\`\`ts
import { ShardwrightError } from '@shardwright/core'

try {
  await router.db.selectFrom('wallets').selectAll().execute()
} catch (error) {
  if (!(error instanceof ShardwrightError)) throw error
  console.log(error.code, error.message, error.hint)
}
\`\`\`
`

function sectionOf(name, exports) {
  const catalogues = Object.keys(exports)
    .filter((key) => key.endsWith('ErrorCodes'))
    .sort()
  if (catalogues.length === 0) return []
  const tables = catalogues.flatMap((key) => {
    const title = catalogues.length > 1 ? [`### ${titleOf(key)}`, ''] : []
    return [...title, ...tableOf(exports[key]), '']
  })
  return [`## @shardwright/${name}`, '', ...tables]
}

/** `poolErrorCodes`: pool. */
function titleOf(key) {
  const words = key.replace(/ErrorCodes$/, '').replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
  return words[0].toUpperCase() + words.slice(1)
}

function tableOf(catalogue) {
  const rows = Object.keys(catalogue)
    .sort()
    .map((code) => [`\`${code}\``, cell(catalogue[code].meaning), cell(catalogue[code].remedy)])
  const titles = ['Code', 'Meaning', 'Remedy']
  const widths = titles.map((title, index) => Math.max(title.length, ...rows.map((row) => row[index].length)))
  const line = (cells) => `| ${cells.map((text, index) => text.padEnd(widths[index])).join(' | ')} |`
  return [line(titles), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)]
}

function cell(text) {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('\n', ' ')
}

async function main() {
  const text = await errorDocs()
  if (!process.argv.includes('--check')) {
    writeFileSync(target, text)
    return
  }
  if (existsSync(target) && readFileSync(target, 'utf8') === text) return
  console.error(`${fileURLToPath(target)} is not up to date: run scripts/generate-error-docs.mjs.`)
  process.exitCode = 1
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main()
