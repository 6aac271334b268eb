import { execFile } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const root = join(import.meta.dirname, '../../..')

/** What the compiler says of files that stand by themselves, on the sources of the packages; '' when all is well. */
export async function compile(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = join(root, 'node_modules/.cache', name)
  await mkdir(folder, { recursive: true })
  try {
    for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text)
    const compilerOptions = {
      composite: false,
      noEmit: true,
      allowImportingTsExtensions: true,
      customConditions: ['shardwright-source'],
      typeRoots: [join(root, 'node_modules/@types')],
    }
    const config = { extends: join(root, 'tsconfig.base.json'), compilerOptions, include: ['*.ts'] }
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config))
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
    const compiler = join(root, 'node_modules/typescript/bin/tsc')
    const { stdout } = await promisify(execFile)(process.execPath, [compiler, '-p', folder]).catch((error) => error)
    return stdout as string
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
