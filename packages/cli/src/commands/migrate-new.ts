import { existsSync } from 'node:fs'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { CliError } from '../errors/cli-error.ts'
import type { Command } from '../run/command.ts'

/** Writes an empty migration whose name sorts last. */
export const migrateNew: Command<{ readonly name: string; readonly sql?: boolean }> = async (
  context,
  { name, sql },
) => {
  const { config, folder } = await context.loadConfig()
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(name)) {
    throw new CliError({
      code: 'USAGE',
      message: `${JSON.stringify(name)} cannot be part of a file name.`,
      hint: 'Use letters, digits, dashes and underscores.',
    })
  }
  const directory = path.resolve(folder, config.migrations?.folder ?? 'migrations')
  const prefix = prefixAfter(existsSync(directory) ? await readdir(directory) : [])
  const file = path.join(directory, `${prefix}_${name}.${sql ? 'sql' : 'ts'}`)
  if (existsSync(file))
    throw new CliError({ code: 'FILE_EXISTS', message: `${file} is there already.`, hint: 'Choose another name.' })
  await mkdir(directory, { recursive: true })
  await writeFile(file, sql ? sqlTemplate : typescriptTemplate)
  return { data: { file }, render: () => path.relative(process.cwd(), file) }
}

/** The next number where all that are there have numbers of one width (`0007_`), else the minute: names sort as they were written. */
export function prefixAfter(files: readonly string[]): string {
  const names = files.filter((file) => /\.(sql|[mc]?[jt]s)$/.test(file) && !file.endsWith('.d.ts'))
  const numbers = names.map((name) => /^(\d+)_/.exec(name)?.[1])
  const width = numbers[0]?.length
  const next = String(Math.max(0, ...numbers.map(Number)) + 1)
  if (
    width !== undefined &&
    width <= 6 &&
    numbers.every((number) => number?.length === width) &&
    next.length <= width
  ) {
    return next.padStart(width, '0')
  }
  return new Date().toISOString().slice(0, 16).replace('T', '-').replace(':', '')
}

const sqlTemplate = `-- shardwright: up


-- shardwright: down

`

const typescriptTemplate = `import type { MigrationContext } from '@shardwright/migrator'
import type { Kysely } from 'kysely'

export async function up(db: Kysely<unknown>, context: MigrationContext): Promise<void> {
}

export async function down(db: Kysely<unknown>, context: MigrationContext): Promise<void> {
}
`
