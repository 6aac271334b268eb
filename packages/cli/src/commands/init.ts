import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { CliError } from '../errors/cli-error.ts'
import { mergePackageJson } from '../init/merge-package-json.ts'
import { skeletonFiles } from '../init/skeleton.ts'
import type { Command, CommandContext } from '../run/command.ts'
import { wholeNumber } from './migrate.ts'

export interface InitOptions {
  readonly directory?: string
  readonly name?: string
  readonly shards?: string
}

/** Writes a small sharded application whose test passes. Never overwrites a file; a package.json is added to. */
export const init: Command<InitOptions> = async (context, options) => {
  const folder = path.resolve(options.directory ?? '.')
  const answers = await ask(context, folder, options)
  const files = skeletonFiles(answers)
  const taken = [...files.keys()].filter((file) => file !== 'package.json' && existsSync(path.join(folder, file)))
  if (taken.length > 0) {
    throw new CliError({
      code: 'FILE_EXISTS',
      message: `${folder} already has ${taken.join(', ')}.`,
      hint: 'Choose an empty folder: `shardwright init my-app`.',
    })
  }
  for (const [file, content] of files) {
    const target = path.join(folder, file)
    await mkdir(path.dirname(target), { recursive: true })
    if (file === 'package.json' && existsSync(target))
      await writeFile(target, mergePackageJson(await readFile(target, 'utf8'), content))
    else await writeFile(target, content, { flag: 'wx' })
  }
  const enter = path.relative('', folder) === '' ? '' : `  cd ${options.directory}\n`
  return {
    data: { folder, files: [...files.keys()], ...answers },
    render: () =>
      `${[...files.keys()].map((file) => `wrote ${file}`).join('\n')}\n\nNow:\n${enter}  npm install\n  npm test\n  npx shardwright dev`,
  }
}

async function ask(context: CommandContext, folder: string, options: InitOptions) {
  const name =
    options.name ??
    (path
      .basename(folder)
      .toLowerCase()
      .replace(/[^a-z0-9-]+/g, '-')
      .replace(/^-+|-+$/g, '') ||
      'app')
  const shards = options.shards ?? '2'
  if (!context.screen.interactive || context.global.yes || context.global.json) return check(name, shards)
  const prompts = await import('@clack/prompts')
  const answers = await prompts.group(
    {
      name: () => prompts.text({ message: 'What is it called?', initialValue: name }),
      shards: () => prompts.text({ message: 'How many shards to begin with?', initialValue: shards }),
    },
    { onCancel: () => process.exit(130) },
  )
  return check(answers.name, answers.shards)
}

function check(name: string, shards: string) {
  if (!/^[a-z0-9][a-z0-9-]{0,60}$/.test(name)) {
    throw new CliError({
      code: 'USAGE',
      message: `${JSON.stringify(name)} cannot be a package name.`,
      hint: 'Use lower case letters, digits and dashes.',
    })
  }
  const count = wholeNumber('--shards', shards)
  if (count < 1 || count > 64)
    throw new CliError({
      code: 'USAGE',
      message: `--shards takes 1 to 64, not ${count}.`,
      hint: 'Start with few: buckets move later.',
    })
  return { name, shards: count }
}
