import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
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
  const stamp = new Date().toISOString().slice(0, 16).replace('T', '-').replace(':', '')
  const directory = path.resolve(folder, config.migrations?.folder ?? 'migrations')
  const file = path.join(directory, `${stamp}_${name}.${sql ? 'sql' : 'ts'}`)
  if (existsSync(file))
    throw new CliError({ code: 'FILE_EXISTS', message: `${file} is there already.`, hint: 'Choose another name.' })
  await mkdir(directory, { recursive: true })
  await writeFile(file, sql ? sqlTemplate : typescriptTemplate)
  return { data: { file }, render: () => path.relative(process.cwd(), file) }
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
